import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { lockRoot } from '../../../../builder/sandbox/in-place/root-lock.ts'

const HOLDER = fileURLToPath(new URL('./support/locking-builder.js', import.meta.url))

describe('the lock of the root', () => {
  it('is had by one build of a process, and then by the next', async () => {
    const waits: Promise<void>[] = []
    const options = { signal: undefined, onWait: (ended: Promise<void>) => waits.push(ended) }
    const order: string[] = []
    const first = await lockRoot({ ...options, onWait: () => undefined })
    const second = lockRoot(options).then((lock) => {
      order.push('taken')
      return lock
    })
    assert.equal(waits.length, 1)
    await new Promise((resolve) => setTimeout(resolve, 120))
    order.push('given back')
    first[Symbol.dispose]()
    using _ = await second
    await waits[0]
    assert.deepEqual(order, ['given back', 'taken'])
  })

  it('is no longer waited for by a build that is cancelled', async () => {
    using _ = await lockRoot({ signal: undefined, onWait: () => undefined })
    const abort = new AbortController()
    const waiting = lockRoot({ signal: abort.signal, onWait: () => abort.abort() })
    await assert.rejects(waiting, { code: 'CANCELLED' })
  })

  it('is free when the process that had it was killed', async () => {
    const child = spawn(process.execPath, [HOLDER], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    let hasWaited = false
    const options = {
      signal: undefined,
      onWait: () => {
        hasWaited = true
        child.kill('SIGKILL')
      },
    }
    using _ = await lockRoot(options)
    assert.equal(hasWaited, true)
  })
})
