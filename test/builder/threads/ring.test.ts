import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import {
  breakRing,
  makeRing,
  type Ring,
  RingWriter,
  readRing,
  resetRing,
} from '../../../builder/threads/ring.ts'

const PEER_GONE = { code: 'PEER_GONE' }

function write(ring: Ring, ...texts: readonly string[]): RingWriter {
  const writer = new RingWriter(ring)
  for (const text of texts) writer.pass(writer.slot().write(text))
  return writer
}

function read(ring: Ring): string[] {
  return Array.from(readRing(ring), (bytes) => Buffer.from(bytes).toString())
}

describe('a ring between two threads', () => {
  it('gives the pieces in order, and ends', () => {
    const ring = makeRing()
    write(ring, 'one', 'two', '').end()
    assert.deepEqual(read(ring), ['one', 'two', ''])
  })

  it('gives what was passed before a writer was done with it', () => {
    const ring = makeRing()
    write(ring, 'one').end()
    breakRing(ring)
    assert.deepEqual(read(ring), ['one'])
  })

  it('fails where its writer ended early', () => {
    const ring = makeRing()
    write(ring, 'one')
    breakRing(ring)
    const seen: string[] = []
    assert.throws(() => {
      for (const bytes of readRing(ring)) seen.push(Buffer.from(bytes).toString())
    }, PEER_GONE)
    assert.deepEqual(seen, ['one'])
  })

  it('notices an end that comes between two checks', () => {
    const ring = makeRing()
    const writer = write(ring, 'one')
    const { load } = Atomics
    let isEnded = false
    // The writer is done, and its ring broken, while the reader looks whether it is.
    Atomics.load = ((array: Int32Array<SharedArrayBuffer>, index: number) => {
      const isAllRead = load(array, 0) === 1 && load(array, 1) === 1
      if (isAllRead && index === 2 && !isEnded) {
        isEnded = true
        writer.end()
        breakRing(ring)
      }
      return load(array, index)
    }) as typeof Atomics.load
    try {
      assert.deepEqual(read(ring), ['one'])
    } finally {
      Atomics.load = load
    }
    assert.ok(isEnded)
  })

  it('can be used again', () => {
    const ring = makeRing()
    write(ring, 'one')
    breakRing(ring)
    resetRing(ring)
    write(ring, 'two').end()
    assert.deepEqual(read(ring), ['two'])
  })

  it('fails a writer whose reader ended', () => {
    const ring = makeRing()
    breakRing(ring)
    const writer = new RingWriter(ring)
    assert.throws(() => {
      for (let i = 0; i < 100; i++) {
        writer.slot()
        writer.pass(1)
      }
    }, PEER_GONE)
  })

  it('keeps every byte, whichever end is faster', async () => {
    const ring = makeRing()
    const module = new URL('../../../builder/threads/ring.js', import.meta.url).href
    const script = `
      const { workerData, parentPort } = require('node:worker_threads')
      import(${JSON.stringify(module)}).then(({ readRing }) => {
        const hash = require('node:crypto').createHash('sha256')
        let pieces = 0
        for (const bytes of readRing(workerData)) {
          hash.update(bytes)
          // Slow in the first half, so that the ring is full, then faster than the writer.
          if (++pieces < 40) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pieces % 4)
        }
        parentPort.postMessage(hash.digest('hex'))
      })`
    const worker = new Worker(script, { eval: true, workerData: ring })
    const answer = once(worker, 'message')
    const hash = createHash('sha256')
    const writer = new RingWriter(ring)
    const random = randomBytes(1 << 20)
    for (let piece = 0; piece < 200; piece++) {
      const slot = writer.slot()
      const length = (piece * 7919) % slot.length
      for (let at = 0; at < length; ) at += random.copy(slot, at, piece, piece + length - at)
      hash.update(slot.subarray(0, length))
      writer.pass(length)
      if (piece > 150) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
    writer.slot()
    writer.end()
    assert.deepEqual(await answer, [hash.digest('hex')])
  })
})
