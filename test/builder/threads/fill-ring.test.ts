import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { breakRing, fillRing, type Ring, readRing } from '#builder/threads'
import type { Bytes } from '#core'
import { makeRing } from '../../../builder/threads/ring.ts'

async function* inPieces(pieces: readonly Uint8Array[]): Bytes {
  yield* pieces
}

function read(ring: Ring): Buffer {
  return Buffer.concat(Array.from(readRing(ring), (piece) => Buffer.from(piece)))
}

describe('bytes into a ring', () => {
  it('come out the same, however they arrive', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const pieces = lengths.map((length) => randomBytes(length))
        const ring = makeRing()
        await fillRing(inPieces(pieces), ring)
        assert.ok(read(ring).equals(Buffer.concat(pieces)))
      }),
      { numRuns: 30 },
    )
  })

  it('wait for a slow reader, while this thread does other things', async () => {
    const ring = makeRing()
    const module = new URL('../../../builder/threads/index.js', import.meta.url).href
    const script = `
      const { workerData, parentPort } = require('node:worker_threads')
      import(${JSON.stringify(module)}).then(({ readRing }) => {
        const hash = require('node:crypto').createHash('sha256')
        for (const bytes of readRing(workerData)) {
          hash.update(bytes)
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
        }
        parentPort.postMessage(hash.digest('hex'))
      })`
    const worker = new Worker(script, { eval: true, workerData: ring })
    const answer = once(worker, 'message')
    const piece = randomBytes(700_000)
    const hash = createHash('sha256')
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    async function* pieces(): Bytes {
      for (let index = 0; index < 20; index++) {
        hash.update(piece)
        yield piece
      }
    }
    await fillRing(pieces(), ring)
    clearInterval(timer)
    assert.deepEqual(await answer, [hash.digest('hex')])
    assert.ok(turns > 20)
  })

  it('are taken no more once the reader is gone', async () => {
    const ring = makeRing()
    let taken = 0
    async function* endless(): Bytes {
      for (;;) {
        taken += 1
        yield randomBytes(100_000)
      }
    }
    const filling = fillRing(endless(), ring)
    await delay(20)
    const before = taken
    breakRing(ring)
    await filling
    assert.ok(before > 10 && taken <= before + 1)
  })

  it('pass their failure on', async () => {
    const failure = new Error('bad data')
    async function* broken(): Bytes {
      yield Buffer.from('abc')
      throw failure
    }
    await assert.rejects(fillRing(broken(), makeRing()), failure)
  })
})
