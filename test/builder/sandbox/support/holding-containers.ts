/** Starts containers of several kinds, says that they run, and waits to be killed. Takes a text for their command lines. */
import { inProcessSandbox } from '#builder/sandbox'
import { ContainerFixture } from '../../../suites/container/fixture.ts'

const [marker = ''] = process.argv.slice(2)
const fixture = new ContainerFixture(inProcessSandbox)
const script = `(setsid sh -c "sleep 1000; : ${marker}" &); sleep 0.1; echo ready; cat; : ${marker}`
const first = await fixture.start({}, { script })
await fixture.start({}, { script, init: true })
await fixture.start({ namespaces: { pid: 'host' } }, { script })
await fixture.start({ namespaces: { pid: first } }, { script })
for (const init of [true, false]) {
  const paused = await fixture.start({}, { script, init })
  await paused.pause()
}
console.log(fixture.directory)
setInterval(() => undefined, 1000)
