import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { lockSync, tryLock } from '../../../cache/filesystem/file-lock.ts'
import { layoutOf } from '../../../cache/filesystem/layout.ts'
import { Pins, pinsOfAll } from '../../../cache/filesystem/pins.ts'
import { Presence } from '../../../cache/filesystem/presence.ts'
import { keepSweepsAway, waitForSweep } from '../../../cache/filesystem/sweep-gate.ts'
import { newRoot, removeRoots } from '../support.ts'

describe('pins', () => {
  afterEach(removeRoots)

  function newLayout() {
    const layout = layoutOf(newRoot())
    mkdirSync(layout.temporary, { recursive: true })
    return layout
  }

  it('are seen as long as their process lives, and not after', async () => {
    const layout = newLayout()
    await using other = new Presence(layout)
    {
      await using presence = new Presence(layout)
      using pins = new Pins(layout, presence)
      for (const name of ['one', 'two', 'one']) pins.hold(name)
      assert.deepEqual([...pinsOfAll(layout, other)], ['one', 'two'])
    }
    assert.deepEqual([...pinsOfAll(layout, other)], [])
  })

  it('of a process that was killed count for nothing', async () => {
    const layout = newLayout()
    mkdirSync(join(layout.temporary, 'dead'))
    writeFileSync(join(layout.temporary, 'dead', 'pins'), 'one\n')
    writeFileSync(join(layout.temporary, 'dead.lock'), '')
    await using presence = new Presence(layout)
    assert.deepEqual([...pinsOfAll(layout, presence)], [])
  })

  it('are waited for by nobody when a sweep was killed in the middle', () => {
    const layout = newLayout()
    writeFileSync(layout.sweepLock, '')
    chmodSync(layout.sweepLock, 0o700)
    waitForSweep(layout)
    assert.equal(lstatSync(layout.sweepLock).mode & 0o777, 0o600)
  })

  it('wait for a sweep that is under way', async () => {
    const layout = newLayout()
    {
      using _ = lockSync(layout.sweepLock)
    }
    const script = `
      const { workerData, parentPort } = require('node:worker_threads')
      const { setTimeout } = require('node:timers/promises')
      const load = async () => {
        const { lockSync } = await import(workerData.lock)
        const { SweepGate } = await import(workerData.gate)
        const taken = lockSync(workerData.path)
        const gate = new SweepGate(taken)
        gate.raise()
        parentPort.postMessage('raised')
        Atomics.wait(workerData.over, 0, 0, 300)
        Atomics.store(workerData.over, 0, 1)
        gate[Symbol.dispose]()
        taken[Symbol.dispose]()
      }
      load()`
    const here = new URL('../../../cache/filesystem/', import.meta.url)
    const over = new Int32Array(new SharedArrayBuffer(4))
    const workerData = {
      over,
      lock: new URL('file-lock.js', here).href,
      gate: new URL('sweep-gate.js', here).href,
      path: layout.sweepLock,
    }
    const worker = new Worker(script, { eval: true, workerData })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    await new Promise((resolve) => worker.once('message', resolve))
    waitForSweep(layout)
    assert.equal(Atomics.load(over, 0), 1)
    await ended
  })

  it('that a full disk does not take keep sweeps from beginning', function () {
    if (process.geteuid?.() !== 0) this.skip()
    const folder = join(newRoot(), '..')
    const program = fileURLToPath(new URL('./pin-on-full-disk.js', import.meta.url))
    const script = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" "$3" "$1"'
    const args = ['-m', 'sh', '-ec', script, 'sh', folder, process.execPath, program]
    assert.equal(execFileSync('unshare', args, { encoding: 'utf8' }), 'false true')
  })

  it('that cannot be written keep sweeps from beginning', async () => {
    const layout = newLayout()
    assert.equal(keepSweepsAway(layout), undefined, 'nothing was swept yet')
    {
      using _ = lockSync(layout.sweepLock)
    }
    {
      using _ = keepSweepsAway(layout)
      assert.equal(tryLock(layout.sweepLock), undefined)
    }
    using again = tryLock(layout.sweepLock)
    assert.ok(again)
  })
})
