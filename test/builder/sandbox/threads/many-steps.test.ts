import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { RunningProcess } from '../../../../builder/sandbox/spec/sandbox.ts'
import { endOf, type SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { processesOf } from '../../../suites/sandbox/host-processes.ts'
import { untilEmpty } from '../../../support/peers/index.ts'
import { inProcessFixture } from '../support/fixture.ts'

const MANY = 64

describe('sandbox: many steps at a time', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  describe('that sleep', () => {
    const marker = `${process.pid}.1`
    const controller = new AbortController()
    const { signal } = controller
    let running: readonly RunningProcess[]
    let threadsBefore: number
    // Of other tests in this process.
    let childrenBefore: readonly string[]
    before(async function () {
      this.timeout(180_000)
      await fixture.run(['true'])
      threadsBefore = threads()
      childrenBefore = children()
      const specs = Array.from({ length: MANY }, () => fixture.spec(['sleep', marker]))
      running = await Promise.all(specs.map((spec) => fixture.sandbox.start(spec, { signal })))
    })

    it('take no more threads than one', () => {
      assert.equal(processesOf(`sleep ${marker}`).length, MANY)
      assert.equal(threads(), threadsBefore)
    })

    it('are each counted and limited in control groups of their own', () => {
      const groups = processesOf(`sleep ${marker}`).map((pid) => {
        return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      })
      assert.equal(new Set(groups).size, MANY)
    })

    it('hold no other step up', async () => {
      assert.equal((await fixture.run(['sh', '-c', 'exit 4'])).exitCode, 4)
    })

    it('get their own signals', async () => {
      const [first, second] = running
      first?.signal('SIGTERM')
      second?.signal('SIGINT')
      assert.deepEqual(await endOfStep(first), { exitCode: 143, signal: 'SIGTERM' })
      assert.deepEqual(await endOfStep(second), { exitCode: 130, signal: 'SIGINT' })
      assert.equal(processesOf(`sleep ${marker}`).length, MANY - 2)
    })

    it('end all at once when they are cancelled, and leave nothing', async () => {
      const cancelled = running.slice(2).map((step) => {
        return assert.rejects(step.wait(), { code: 'CANCELLED' })
      })
      controller.abort()
      // All were killed before this thread did anything else.
      assert.deepEqual(await untilEmpty(() => processesOf(`sleep ${marker}`), 20_000), [])
      await Promise.all(cancelled)
      assert.deepEqual(children(), childrenBefore)
    })
  })

  it('each end with their own code and output', async () => {
    const ends = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        fixture.run(['sh', '-c', `sleep 0.0${index % 7}; echo ${index}; exit ${index}`]),
      ),
    )
    assert.deepEqual(
      ends.map(({ exitCode, stdout }) => [exitCode, stdout]),
      Array.from({ length: 16 }, (_, index) => [index, `${index}\n`]),
    )
  })

  it('run at the same time', async () => {
    const source = fixture.layer()
    const mounts = [{ type: 'bind', target: '/c', source, readonly: false }] as const
    const steps = Array.from({ length: 8 }, (_, index) => `${index}`)
    const meet = 'echo > /c/$0; while [ $(ls /c | wc -l) -lt 8 ]; do sleep 0.05; done'
    const ends = await Promise.all(
      steps.map((step) => fixture.run(['sh', '-c', meet, step], { mounts })),
    )
    assert.deepEqual(new Set(ends.map(({ exitCode }) => exitCode)), new Set([0]))
  })

  it('leave the children and the listeners of the program alone', async () => {
    const listener = (): void => undefined
    process.on('SIGCHLD', listener)
    const own = spawn('/bin/sh', ['-c', 'sleep 0.3; exit 5'])
    const exit = once(own, 'exit')
    const step = fixture.run(['sh', '-c', 'sleep 0.5; exit 6'])
    assert.deepEqual(await exit, [5, null])
    assert.equal((await step).exitCode, 6)
    assert.deepEqual(process.listeners('SIGCHLD'), [listener])
    process.off('SIGCHLD', listener)
  })
})

function threads(): number {
  return readdirSync('/proc/self/task').length
}

/** Pids of the children of this process, also of those that wait to be released. */
function children(): readonly string[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  )
}

async function endOfStep(step: RunningProcess | undefined): Promise<object> {
  assert.ok(step)
  return endOf(await step.wait())
}
