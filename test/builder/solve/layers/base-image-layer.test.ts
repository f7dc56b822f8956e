import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { type Bytes, type Compression, type DiffId, TsbuildError } from '#core'
import { readTree } from '../../../support/peers/index.ts'
import { tar } from '../../../support/raw-tar/index.ts'
import { blobOf, inPieces, layerOf, makeLayer, PullBench, type Serve } from './pulled-layer.ts'

const SMALL = 300_000
const LARGE = 5_000_000
const SIZES = [
  ['small', SMALL],
  ['large', LARGE],
] as const

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x10
  return copy
}

/** What a process relies on is written down while it lives. */
const PINS = 'pins'

/** What is in the store of blobs, layers and unfinished work. */
function contentOf({ store }: PullBench): readonly string[] {
  const own = readdirSync(join(store.root, 'tmp')).filter((name) => !name.endsWith('.lock'))
  const names = own.flatMap((name) => readdirSync(join(store.root, 'tmp', name)))
  const unfinished = names.filter((name) => name !== PINS)
  return [
    ...readdirSync(join(store.root, 'blobs/sha256')).map(() => 'blob'),
    ...readdirSync(join(store.root, 'layers')).map(() => 'layer'),
    ...unfinished.map(() => 'unfinished'),
  ]
}

/** Gives some pieces, and then waits until it is cancelled. */
function stalling(pieces: number, onStall: () => void = () => {}): Serve {
  return async function* (bytes, _attempt, signal): Bytes {
    yield* inPieces(bytes.subarray(0, pieces * 50_000))
    onStall()
    await delay(60_000, undefined, signal === undefined ? {} : { signal })
  }
}

describe('a layer of a base image that is pulled', () => {
  for (const [name, size] of SIZES) {
    for (const compression of ['none', 'gzip', 'zstd'] satisfies Compression[]) {
      it(`is what unpacking its blob makes, without reading it back: ${name}, ${compression}`, async () => {
        const layer = makeLayer(size, compression)
        await using pulled = new PullBench()
        await using stored = new PullBench()
        await stored.store.blobs.put(layer.blob, inPieces(layer.bytes))
        const [one, other] = [await pulled.pull(layer), await stored.pull(layer)]
        const tree = await readTree(one)
        assert.equal(tree.size, 48)
        assert.deepEqual(tree, await readTree(other))
        assert.deepEqual(pulled.sources, [name === 'small' ? 'memory' : 'ring'])
        assert.deepEqual([stored.sources, stored.opened], [['file'], 0])
        assert.equal(pulled.opened, 1)
        assert.deepEqual(contentOf(pulled), ['blob', 'layer'])
        assert.ok(await pulled.store.blobs.has(layer.blob))
      })
    }
  }

  it('starts a thread when it is large, and none when it is small', async () => {
    const threads = process.getBuiltinModule('node:worker_threads')
    const { Worker } = threads
    let started = 0
    threads.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args)
        started += 1
      }
    }
    try {
      for (const [size, count] of [
        [SMALL, 0],
        [LARGE, 1],
      ] as const) {
        started = 0
        await using bench = new PullBench()
        await bench.pull(makeLayer(size))
        assert.equal(started, count)
      }
    } finally {
      threads.Worker = Worker
    }
  })

  it('is not seen before its last byte is verified', async () => {
    const layer = makeLayer(LARGE)
    await using bench = new PullBench()
    const { promise: isAllowed, resolve: allow } = Promise.withResolvers<void>()
    const pulling = bench.pull(layer, async function* (bytes) {
      yield* inPieces(bytes.subarray(0, -1))
      await delay(200)
      assert.equal(bench.store.layers.findByDiffId(layer.diffId), undefined)
      assert.equal(await bench.store.blobs.has(layer.blob), false)
      allow()
      yield bytes.subarray(-1)
    })
    await isAllowed
    assert.ok(existsSync(await pulling))
  })

  for (const [name, size] of SIZES) {
    describe(`and ${name}`, () => {
      const layer = makeLayer(size)

      const damages: Readonly<Record<string, readonly [string, (bytes: Buffer) => Bytes]>> = {
        'is cut short': ['SIZE_MISMATCH', (bytes) => inPieces(bytes.subarray(0, -1000))],
        'is empty': ['SIZE_MISMATCH', () => inPieces(Buffer.alloc(0))],
        'goes on': ['SIZE_MISMATCH', (bytes) => inPieces(Buffer.concat([bytes, bytes]))],
        'begins with another byte': ['DIGEST_MISMATCH', (bytes) => inPieces(flipped(bytes, 0))],
        'ends with another byte': [
          'DIGEST_MISMATCH',
          (bytes) => inPieces(flipped(bytes, bytes.length - 1)),
        ],
        'is something else': ['DIGEST_MISMATCH', ({ length }) => inPieces(randomBytes(length))],
      }
      for (const [what, [code, damaged]] of Object.entries(damages)) {
        it(`is fetched once more, and refused, when it ${what}`, async () => {
          await using bench = new PullBench()
          await assert.rejects(bench.pull(layer, damaged), { code })
          assert.equal(bench.opened, 2)
          assert.deepEqual(contentOf(bench), [])
        })
      }

      it('is what it should be when it came damaged anywhere, and then whole', async () => {
        const wanted = await treeOf(layer.bytes)
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 0, max: layer.bytes.length - 1 }), async (at) => {
            await using bench = new PullBench()
            const made = await bench.pull(layer, (bytes, attempt) =>
              inPieces(attempt === 0 ? flipped(bytes, at) : bytes),
            )
            assert.deepEqual(await readTree(made), wanted)
            assert.equal(bench.opened, 2)
            assert.deepEqual(contentOf(bench), ['blob', 'layer'])
          }),
          { numRuns: size === SMALL ? 10 : 3 },
        )
      })

      async function treeOf(bytes: Buffer): ReturnType<typeof readTree> {
        await using bench = new PullBench()
        return await readTree(await bench.pull({ ...layer, bytes }))
      }

      it('fails as its connection does, and leaves nothing', async () => {
        await using bench = new PullBench()
        const failure = new TsbuildError('reset', { code: 'REGISTRY_UNREACHABLE' })
        await assert.rejects(
          bench.pull(layer, async function* (bytes) {
            yield* inPieces(bytes.subarray(0, bytes.length / 2))
            throw failure
          }),
          { code: 'REGISTRY_UNREACHABLE' },
        )
        assert.equal(bench.opened, 1)
        assert.deepEqual(contentOf(bench), [])
      })

      it('is no layer when it has another diffID, and is fetched once', async () => {
        await using bench = new PullBench()
        const other = `sha256:${'ab'.repeat(32)}` as DiffId
        await assert.rejects(bench.pull({ ...layer, diffId: other }), { code: 'DIGEST_MISMATCH' })
        assert.equal(bench.opened, 1)
        assert.deepEqual(contentOf(bench), ['blob'])
      })

      it('is no layer when it is not what its type says, and is fetched once', async () => {
        await using bench = new PullBench()
        const packed = gzipSync(randomBytes(size))
        for (const bytes of [randomBytes(size), packed.subarray(0, -100), packed]) {
          bench.opened = 0
          const wrong = blobOf(bytes, layer.diffId)
          await assert.rejects(bench.pull(wrong), { code: 'LAYER_INVALID' })
          assert.equal(bench.opened, 1)
        }
        assert.deepEqual(contentOf(bench), ['blob', 'blob', 'blob'])
      })

      it('fails at once when the disk is full, though the registry stalls', async () => {
        await using bench = new PullBench()
        const full = new TsbuildError('write: no space', { code: 'NO_SPACE' })
        bench.store.blobs.receive = async (_, bytes) => {
          for await (const chunk of bytes) if (chunk.length > 0) throw full
        }
        await assert.rejects(bench.pull(layer, stalling(2)), { code: 'NO_SPACE' })
        assert.equal(bench.opened, 1)
        assert.deepEqual(contentOf(bench), [])
      })

      it('is left alone where another process stores the blob meanwhile', async () => {
        await using bench = new PullBench()
        const { blobs } = bench.store
        const path = blobs.path(layer.blob.digest)
        let inode = 0
        const made = await bench.pull(layer, async function* (bytes) {
          await blobs.put(layer.blob, inPieces(bytes))
          chmodSync(path, 0o444)
          inode = statSync(path).ino
          yield* inPieces(bytes)
        })
        assert.ok(existsSync(made))
        assert.equal(statSync(path).ino, inode)
        assert.deepEqual(contentOf(bench), ['blob', 'layer'])
      })

      it('stops while the registry stalls, when the build is cancelled', async () => {
        for (const pieces of [0, 3]) {
          await using bench = new PullBench()
          const begun = performance.now()
          const stall = stalling(pieces, () => setTimeout(() => bench.stop.abort(), 50))
          await assert.rejects(bench.pull(layer, stall), isCancelled)
          assert.ok(performance.now() - begun < 20_000)
          assert.deepEqual(contentOf(bench), [])
        }
      })

      it('leaves a whole layer or nothing when it is cancelled at any moment', async () => {
        for (let round = 0; round < 8; round++) {
          await using bench = new PullBench()
          setTimeout(() => bench.stop.abort(), randomInt(120))
          const [result] = await Promise.allSettled([bench.pull(layer, abortable)])
          if (result?.status === 'fulfilled') {
            assert.deepEqual(contentOf(bench), ['blob', 'layer'])
          } else {
            assert.ok(isCancelled(result?.reason))
            assert.ok(
              !contentOf(bench).includes('layer') && !contentOf(bench).includes('unfinished'),
            )
          }
        }
      })
    })
  }

  it('is not kept when it expands without end', async () => {
    await using bench = new PullBench()
    // Zeros would be a hole.
    const bomb = layerOf(tar(Buffer.alloc(200_000_000, 1)))
    await assert.rejects(bench.pull(bomb), { code: 'LAYER_INVALID' })
    assert.deepEqual(contentOf(bench), ['blob'])
  })
})

/** Slow enough to be cancelled on its way. */
const abortable: Serve = async function* (bytes, _attempt, signal): Bytes {
  for await (const piece of inPieces(bytes, Math.ceil(bytes.length / 20))) {
    signal?.throwIfAborted()
    yield piece
    await delay(3)
  }
}

function isCancelled(cause: unknown): boolean {
  const isAborted = cause instanceof Error && cause.name === 'AbortError'
  return isAborted || (cause instanceof TsbuildError && cause.code === 'CANCELLED')
}
