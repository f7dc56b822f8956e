import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { spawnProcess, waitForExit } from '#builder/linux'
import {
  endSignals,
  type SharedChild,
  shareChild,
  signalChild,
} from '../../../../builder/sandbox/children/shared-child.ts'
import { endOf } from '../../../suites/sandbox/fixture.ts'

const WORKER = new URL('../support/reaping-worker.js', import.meta.url)

/** Calls `action` with another process.kill. */
function withKill(kill: typeof process.kill, action: () => void): void {
  const original = process.kill
  process.kill = kill
  try {
    action()
  } finally {
    process.kill = original
  }
}

/** What `signalChild` sends. */
function signalsTo(child: SharedChild): readonly unknown[] {
  const sent: unknown[] = []
  const record = (pid: number, signal?: string | number): true => {
    sent.push([pid, signal])
    return true
  }
  withKill(record, () => signalChild(child, 'SIGKILL'))
  return sent
}

function start(): SharedChild {
  return shareChild(spawnProcess({ program: '/bin/sleep', args: ['sleep', '1000'], env: [] }))
}

describe('sandbox: a child that several threads have', () => {
  it('gets signals while its pid is taken, and none once it is released', () => {
    const child = start()
    assert.deepEqual(signalsTo(child), [[child.pid, 'SIGKILL']])
    signalChild(child, 'SIGKILL')
    endSignals(child)
    assert.deepEqual(signalsTo(child), [])
    assert.deepEqual(endOf(waitForExit(child.pid)), { exitCode: 137, signal: 'SIGKILL' })
    assert.equal(existsSync(`/proc/${child.pid}`), false)
  })

  it('keeps its pid until a signal that is being sent has been sent', async () => {
    const child = start()
    const worker = new Worker(WORKER, { workerData: child })
    await once(worker, 'message')
    const kill = process.kill.bind(process)
    const killAndPause: typeof process.kill = (pid, signal) => {
      kill(pid, signal)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      assert.equal(existsSync(`/proc/${pid}`), true)
      return true
    }
    const ended = once(worker, 'message')
    withKill(killAndPause, () => signalChild(child, 'SIGTERM'))
    assert.deepEqual((await ended).map(endOf), [{ exitCode: 143, signal: 'SIGTERM' }])
    assert.deepEqual(signalsTo(child), [])
  })
})
