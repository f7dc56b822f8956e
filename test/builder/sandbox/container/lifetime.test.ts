import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inProcessSandbox } from '#builder/sandbox'
import { ContainerFixture, execIn } from '../../../suites/container/fixture.ts'
import { endOf } from '../../../suites/sandbox/fixture.ts'
import { processesOf, untilProcesses } from '../../../suites/sandbox/host-processes.ts'
import { untilEmpty } from '../../../support/peers/index.ts'

const HOLDER = fileURLToPath(new URL('../support/holding-containers.js', import.meta.url))
const COUNT = 100

describe('containers: their life', () => {
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
  })

  it('ends with a builder that is killed, whatever their namespaces are, also when they are paused', async () => {
    const marker = `held-${process.pid}`
    const builder = spawn(process.execPath, [HOLDER, marker], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = await once(builder.stdout, 'data')
    await untilProcesses(marker, 12, 'holding-containers')
    builder.kill('SIGKILL')
    await once(builder, 'exit')
    assert.deepEqual(await untilEmpty(() => processesOf(marker), 5000), [])
    rmSync(`${said}`.trim(), { recursive: true })
  })

  it('goes on for many at once, which all answer and end', async () => {
    const fixture = new ContainerFixture(inProcessSandbox)
    try {
      const numbers = Array.from({ length: COUNT }, (_, number) => number)
      const script = 'echo ready; read line; exit $line'
      const all = await Promise.all(numbers.map(() => fixture.start({}, { script })))
      assert.equal(new Set(all.map(({ pid }) => pid)).size, COUNT)
      const answers = await Promise.all(
        all
          .slice(0, 10)
          .map((process, number) => execIn(process, `echo ${number}; cat /proc/1/comm`)),
      )
      assert.deepEqual(
        answers,
        answers.map((_, number) => `${number}\nsh\n`),
      )
      for (const [number, process] of all.entries()) process.stdin?.end(`${number}\n`)
      const ends = await Promise.all(all.map((process) => process.wait()))
      assert.deepEqual(
        ends.map(endOf),
        numbers.map((exitCode) => ({ exitCode })),
      )
    } finally {
      await fixture.close()
    }
  })
})
