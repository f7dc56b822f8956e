import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { inProcessSandbox } from '#builder/sandbox'
import { type OpenSandbox, SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { sandboxSuite } from '../../../suites/sandbox.ts'

/** Each step says that another one follows, so that most take over a place that was made before. */
const openFollowed: OpenSandbox = (options) => {
  const sandbox = inProcessSandbox(options)
  return {
    start: (spec, settings) => sandbox.start(spec, { ...settings, isFollowed: true }),
    openRoot: (mounts) => sandbox.openRoot(mounts),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  }
}

sandboxSuite('in this process, in places made before', openFollowed)

describe('a place made before its step', () => {
  let fixture: SandboxFixture
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
    for (const pid of firstProcesses()) others.add(pid)
    fixture = new SandboxFixture(openFollowed)
  })
  after(() => fixture?.close())

  it('is taken over by the next step, and ends with it', async () => {
    const go = fixture.layer()
    const mounts = [{ type: 'bind', target: '/go', source: go, readonly: true }] as const
    const wait = ['sh', '-c', 'until [ -e /go/$0 ]; do sleep 0.01; done']
    const first = fixture.run([...wait, 'first'], { mounts })
    const two = await pidsOnceThereAre(2)
    writeFileSync(`${go}/first`, '')
    await first
    const [spare = 0, ...more] = await pidsOnceThereAre(1)
    assert.deepEqual(more, [])
    assert.ok(two.includes(spare))
    const second = fixture.run([...wait, 'second'], { mounts })
    assert.ok((await pidsOnceThereAre(2)).includes(spare))
    writeFileSync(`${go}/second`, '')
    await second
    assert.ok(!(await pidsOnceThereAre(1)).includes(spare))
  })

  it('goes when no step comes', async () => {
    await fixture.sh('true')
    await pidsOnceThereAre(1)
    await pidsOnceThereAre(0)
  })

  it('has nothing of the step before', async () => {
    const leave = 'touch /dev/left /dev/shm/left /dev/mqueue/left'
    for (let step = 0; step < 4; step++) {
      const found = (await fixture.sh(`ls /dev /dev/*; ${leave}`)).split('\n')
      assert.ok(!found.includes('left'), `${found}`)
    }
  })

  it('is for steps of its kind', async () => {
    await fixture.sh('true')
    assert.equal(await fixture.sh('hostname', { hostname: 'other' }), 'other\n')
    const network = 'readlink /proc/self/ns/net'
    const host = await fixture.sh(network, { network: 'host' })
    assert.notEqual(await fixture.sh(network), host)
    assert.equal(await fixture.sh(network, { network: 'host' }), host)
    const masked = 'cat /proc/keys | wc -c'
    assert.equal(await fixture.sh(masked), '0\n')
    assert.notEqual(await fixture.sh(masked, { security: 'insecure' }), '0\n')
    assert.equal(await fixture.sh(masked), '0\n')
  })
})

/** Of tests before. */
const others = new Set<number>()

/** The pids of the first processes of steps that this process has started, when there are so many. */
async function pidsOnceThereAre(count: number): Promise<readonly number[]> {
  for (;;) {
    const found = firstProcesses()
    if (found.length === count) return found
    await delay(5)
  }
}

function firstProcesses(): readonly number[] {
  const children = readdirSync('/proc/self/task').flatMap((thread) => {
    return textOf(`/proc/self/task/${thread}/children`).split(' ').filter(Boolean).map(Number)
  })
  return children.filter((pid) => !others.has(pid) && textOf(`/proc/${pid}/comm`) === 'init\n')
}

/** Empty for a process that is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
