import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { processesOf } from '../../../suites/sandbox/host-processes.ts'
import { inProcessFixture } from '../support/fixture.ts'

describe('sandbox: the handle of a step', () => {
  let fixture: SandboxFixture
  before(() => {
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  for (const init of [true, false]) {
    it(`keeps the pid until it sends no more signals: init ${init}`, async () => {
      const marker = `${process.pid + (init ? 0.25 : 0.5)}`
      const spec = fixture.spec(['sleep', marker], { init })
      await using handle = await fixture.sandbox.start(spec)
      const [pid = 0, ...others] = processesOf(`sleep ${marker}`).map(Number)
      assert.deepEqual(others, [])
      assert.deepEqual(
        signalsSent(() => handle.signal('SIGTERM')),
        [[pid, 'SIGTERM']],
      )
      handle.signal('SIGKILL')
      // Without a turn of the event loop it is not released, however long that takes.
      const deadline = performance.now() + 100
      while (performance.now() < deadline) assert.equal(existsSync(`/proc/${pid}`), true)
      assert.equal((await handle.wait()).signal, 'SIGKILL')
      assert.equal(existsSync(`/proc/${pid}`), false)
      assert.deepEqual(
        signalsSent(() => handle.signal('SIGKILL')),
        [],
      )
    })
  }
})

function signalsSent(action: () => void): readonly unknown[] {
  const sent: unknown[] = []
  const { kill } = process
  process.kill = (pid, name) => {
    sent.push([pid, name])
    return true
  }
  action()
  process.kill = kill
  return sent
}
