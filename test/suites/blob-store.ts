import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  type BlobSink,
  type BlobSource,
  type Bytes,
  collect,
  type Descriptor,
  digestOf,
} from '#core'

export type TestedStore = BlobSource & BlobSink

/** Bytes in pieces of `length`. */
export async function* inPieces(bytes: Uint8Array, length: number = bytes.length || 1): Bytes {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

export function descriptorOf(bytes: Uint8Array): Descriptor {
  return { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length }
}

/** What every blob store must do. Each implementation's test file calls this once. */
export function blobStoreSuite(name: string, create: () => Promise<TestedStore>): void {
  describe(`blob store: ${name}`, () => {
    takesAndGives(create)
    refuses(create)
  })
}

function takesAndGives(create: () => Promise<TestedStore>): void {
  for (const size of [0, 1, 65_536, 3 * 1024 * 1024 + 1]) {
    it(`gives back ${size} bytes as they were put`, async () => {
      const store = await create()
      const bytes = randomBytes(size)
      const blob = descriptorOf(bytes)
      await store.put(blob, inPieces(bytes, 10_007))
      assert.equal(await store.has(blob), true)
      const read = await collect(await store.open(blob), size)
      assert.equal(Buffer.compare(read, bytes), 0)
    })
  }

  it('takes the same blob twice, also at once', async () => {
    const store = await create()
    const bytes = randomBytes(100_000)
    const blob = descriptorOf(bytes)
    await Promise.all([1, 2, 3].map(() => store.put(blob, inPieces(bytes, 1000))))
    await store.put(blob, inPieces(bytes))
    assert.equal((await collect(await store.open(blob), blob.size)).equals(bytes), true)
  })

  it('can be read several times, and only in part', async () => {
    const store = await create()
    const bytes = randomBytes(1_000_000)
    const blob = descriptorOf(bytes)
    await store.put(blob, inPieces(bytes))
    for await (const chunk of await store.open(blob)) {
      assert.equal(chunk.length > 0, true)
      break
    }
    assert.equal((await collect(await store.open(blob), blob.size)).equals(bytes), true)
  })

  it('does not have a blob that was never put', async () => {
    const store = await create()
    const blob = descriptorOf(randomBytes(10))
    assert.equal(await store.has(blob), false)
    await assert.rejects(async () => collect(await store.open(blob), 10), { code: 'NOT_FOUND' })
  })
}

function refuses(create: () => Promise<TestedStore>): void {
  const cases: readonly [string, (bytes: Buffer) => Buffer, string][] = [
    [
      'a changed byte',
      (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from('!')]),
      'DIGEST_MISMATCH',
    ],
    ['a missing byte', (bytes) => bytes.subarray(0, -1), 'SIZE_MISMATCH'],
    ['a byte too many', (bytes) => Buffer.concat([bytes, Buffer.from('!')]), 'SIZE_MISMATCH'],
    ['no bytes at all', () => Buffer.alloc(0), 'SIZE_MISMATCH'],
  ]
  for (const [what, change, code] of cases) {
    it(`refuses ${what} and keeps nothing of it`, async () => {
      const store = await create()
      const blob = descriptorOf(Buffer.from('the right bytes'))
      const wrong = change(Buffer.from('the right bytes'))
      await assert.rejects(store.put(blob, inPieces(wrong, 4)), { code })
      assert.equal(await store.has(blob), false)
      await store.put(blob, inPieces(Buffer.from('the right bytes')))
      assert.equal(await store.has(blob), true)
    })
  }

  it('passes on what the source throws and keeps nothing', async () => {
    const store = await create()
    const blob = descriptorOf(Buffer.from('abc'))
    const failure = new Error('the line went dead')
    async function* broken(): Bytes {
      yield Buffer.from('ab')
      throw failure
    }
    await assert.rejects(store.put(blob, broken()), failure)
    assert.equal(await store.has(blob), false)
  })

  it('stops when its signal is aborted', async () => {
    const store = await create()
    const bytes = randomBytes(4 * 1024 * 1024)
    const blob = descriptorOf(bytes)
    const controller = new AbortController()
    controller.abort()
    const { signal } = controller
    await assert.rejects(store.put(blob, inPieces(bytes, 65_536), { signal }), {
      code: 'CANCELLED',
    })
    assert.equal(await store.has(blob), false)
  })

  it('refuses to open a blob under the wrong size', async () => {
    const store = await create()
    const bytes = Buffer.from('twelve bytes')
    const blob = descriptorOf(bytes)
    await store.put(blob, inPieces(bytes))
    const wrong = { ...blob, size: 11 }
    await assert.rejects(async () => collect(await store.open(wrong), 20), {
      code: 'SIZE_MISMATCH',
    })
    assert.equal((await collect(await store.open(blob), 12)).equals(bytes), true)
  })
}
