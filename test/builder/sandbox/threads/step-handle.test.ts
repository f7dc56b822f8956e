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
    it(`signals no other process before it has read of the end: init ${init}`, async () => {
      const marker = `${process.pid + (init ? 0.25 : 0.5)}`
      const spec = fixture.spec(['sleep', marker], { init })
      await using handle = await fixture.sandbox.start(spec)
      const pids = processesOf(`sleep ${marker}`)
      assert.equal(pids.length, 1)
      handle.signal('SIGKILL')
      // Without a turn of the event loop: no message of the launcher arrives.
      const deadline = performance.now() + 5000
      while (existsSync(`/proc/${pids[0]}`)) assert.ok(performance.now() < deadline)
      const sent: unknown[] = []
      const { kill } = process
      process.kill = (pid, name) => {
        sent.push([pid, name])
        return true
      }
      handle.signal('SIGKILL')
      process.kill = kill
      assert.deepEqual(sent, [])
      assert.equal((await handle.wait()).signal, 'SIGKILL')
    })
  }
})
