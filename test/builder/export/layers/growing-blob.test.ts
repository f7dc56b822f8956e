import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { openStore, type Store } from '#cache'
import { type Bytes, type Descriptor, digestOf, MEDIA_TYPES } from '#core'
import { GrowingBlob } from '../../../../builder/export/layers/growing-blob.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

const CONTENT = randomBytes(1_000_000)
const HALF = 400_000

describe('a growing blob', () => {
  let directory: TemporaryDirectory
  let store: Store
  let known: Descriptor[]
  beforeEach(() => {
    directory = temporaryDirectory('growing')
    store = openStore(directory.file('store'))
    known = []
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  /** One that has half of its bytes, and goes on, or fails, when the promise ends. */
  function growing(rest: Promise<void>): GrowingBlob {
    const bytes = async function* (): Bytes {
      yield CONTENT.subarray(0, HALF)
      await rest
      yield CONTENT.subarray(HALF)
    }
    return new GrowingBlob({
      store,
      mediaType: MEDIA_TYPES.ociLayerGzip,
      bytes: bytes(),
      onWhole: (descriptor) => void known.push(descriptor),
    })
  }

  /** What lies in the folders for what is not complete. */
  const files = (): readonly string[] =>
    readdirSync(directory.file('store/tmp'), { recursive: true, withFileTypes: true }).flatMap(
      ({ name, parentPath }) => (name === 'blob' ? [join(parentPath, name)] : []),
    )

  it('comes into the store, named by its digest', async () => {
    const blob = growing(Promise.resolve())
    const made = await blob.made
    assert.deepEqual(made, {
      mediaType: MEDIA_TYPES.ociLayerGzip,
      digest: digestOf(CONTENT),
      size: CONTENT.length,
    })
    assert.equal(blob.state, 'whole')
    assert.deepEqual(known, [made])
    assert.ok((await buffer(await store.blobs.open(made))).equals(CONTENT))
    assert.deepEqual(files(), [])
  })

  it('is read before it is whole, by any number of readers, and afterwards', async () => {
    const rest = Promise.withResolvers<void>()
    const blob = growing(rest.promise)
    const early = blob.open()[Symbol.asyncIterator]()
    const pieces: Uint8Array[] = []
    for (let size = 0; size < HALF; size += pieces.at(-1)?.length ?? 0) {
      const { value } = await early.next()
      pieces.push(value)
    }
    assert.equal(blob.state, 'growing')
    const other = buffer(blob.open())
    rest.resolve()
    for (let next = await early.next(); !next.done; next = await early.next()) {
      pieces.push(next.value)
    }
    assert.ok(Buffer.concat(pieces).equals(CONTENT))
    assert.ok((await other).equals(CONTENT))
    assert.ok((await buffer(blob.open())).equals(CONTENT))
  })

  it('gives its failure to its readers, and leaves nothing', async () => {
    const rest = Promise.withResolvers<void>()
    const blob = growing(rest.promise)
    const reading = buffer(blob.open())
    const failure = new Error('no more')
    const rejected = assert.rejects(reading, failure)
    rest.promise.catch(() => undefined)
    rest.reject(failure)
    await rejected
    await assert.rejects(blob.made, failure)
    await assert.rejects(buffer(blob.open()), failure)
    assert.equal(blob.state, 'failed')
    assert.deepEqual([known, files()], [[], []])
    assert.deepEqual(readdirSync(directory.file('store/blobs/sha256')), [])
  })

  it('is verified as it is read: the disk may have other bytes by then', async () => {
    const rest = Promise.withResolvers<void>()
    const blob = growing(rest.promise)
    const reader = blob.open()[Symbol.asyncIterator]()
    await reader.next()
    const [path = ''] = files()
    writeFileSync(path, Buffer.alloc(HALF), { flag: 'r+' })
    rest.resolve()
    await assert.rejects(buffer({ [Symbol.asyncIterator]: () => reader }), {
      code: 'DIGEST_MISMATCH',
    })
  })
})
