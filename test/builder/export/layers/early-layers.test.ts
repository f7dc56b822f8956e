import assert from 'node:assert/strict'
import { readdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { EarlyLayers } from '#builder/export'
import { compress } from '#builder/layer'
import { openStore, type Store } from '#cache'
import {
  asDiffId,
  type BuildFact,
  type Compression,
  type DiffId,
  digestOf,
  MEDIA_TYPES,
  Spans,
  uncompressedDigest,
} from '#core'
import { layerBlob } from '../../../../builder/export/layers/layer-blob.ts'
import { type TemporaryDirectory, temporaryDirectory, until } from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'

const MIB = 1 << 20

/** A processor that the test gives and takes. */
class Spare {
  readonly #found = Promise.withResolvers<void>()
  #wait: PromiseWithResolvers<void> | undefined
  /** How often work has asked whether it may go on. */
  asked = 0

  give(): void {
    this.#found.resolve()
    this.#wait?.resolve()
    this.#wait = undefined
  }

  /** From now on work has to wait. */
  take(): void {
    this.#wait = Promise.withResolvers()
  }

  found(): Promise<void> {
    return this.#found.promise
  }

  wait(): Promise<void> | undefined {
    this.asked += 1
    return this.#wait?.promise
  }
}

describe('early layers', () => {
  let directory: TemporaryDirectory
  let store: Store
  let spare: Spare
  let early: EarlyLayers
  let events: BuildFact[]
  let spans: Spans
  beforeEach(() => {
    directory = temporaryDirectory('early')
    store = openStore(directory.file('store'))
    spare = new Spare()
    events = []
    spans = new Spans((event) => void events.push(event))
    early = new EarlyLayers({ store, spare, spans })
  })
  afterEach(async () => {
    await early[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  /** A layer whose tar is in the store. */
  async function put(mebibytes: number, seed = 1) {
    const random = seededRandom(seed)
    const text = Array.from({ length: 1000 }, () => random().toString(36)).join(' ')
    const bytes = Buffer.alloc(mebibytes * MIB, text)
    const { digest, size } = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, bytes)
    return { bytes, diffId: asDiffId(digest), size }
  }

  const compressed = (diffId: DiffId): readonly string[] =>
    store.layers.compressed(diffId).map(({ digest }) => digest)

  /** Has the work begin, and waits until it cannot go on. */
  async function begin(): Promise<void> {
    spare.give()
    spare.take()
    await until(() => spare.asked > 0)
  }

  /** Folders of blobs that are not complete. */
  const drafts = (): readonly string[] =>
    readdirSync(directory.file('store/tmp'), { recursive: true, withFileTypes: true }).flatMap(
      ({ name, parentPath }) => (name === 'blob' ? [parentPath] : []),
    )

  const blobsIn = (): readonly string[] => readdirSync(directory.file('store/blobs/sha256'))
  const packedBytes = (bytes: Buffer, compression: Compression): Promise<Buffer> =>
    buffer(
      compress(
        (async function* () {
          yield bytes
        })(),
        compression,
      ),
    )

  for (const [compression, mediaType] of [
    ['gzip', MEDIA_TYPES.ociLayerGzip],
    ['zstd', MEDIA_TYPES.ociLayerZstd],
  ] as const) {
    it(`are the blobs that an output makes: ${compression}`, async () => {
      const { bytes, ...layer } = await put(9)
      early.add(layer, [compression])
      spare.give()
      await until(() => compressed(layer.diffId).length > 0)
      const expected = await packedBytes(bytes, compression)
      const descriptor = { mediaType, digest: digestOf(expected), size: expected.length }
      assert.deepEqual(store.layers.compressed(layer.diffId), [descriptor])
      assert.ok((await buffer(await store.blobs.open(descriptor))).equals(expected))
      assert.equal(early.find(layer.diffId, compression), undefined, 'it is in the store')
      const image = { ...layer, blob: undefined, origin: undefined }
      assert.deepEqual(layerBlob(image, compression, { store, early }).descriptor, descriptor)
    })
  }

  it('wait for a processor, and are not begun after the steps', async () => {
    const layer = await put(5)
    early.add(layer, ['gzip'])
    await pause(100)
    assert.equal(spare.asked, 0)
    early.endSteps()
    spare.give()
    early.add(await put(5, 2), ['gzip'])
    await pause(100)
    assert.equal(spare.asked, 0)
    assert.equal(early.find(layer.diffId, 'gzip'), undefined)
    assert.equal(blobsIn().length, 2)
  })

  it('are not small ones, which are packed in a moment', async () => {
    const small = await put(3)
    const large = await put(5, 2)
    early.add(small, ['gzip'])
    early.add(large, ['gzip'])
    spare.give()
    await until(() => compressed(large.diffId).length > 0)
    assert.deepEqual(compressed(small.diffId), [])
  })

  it('are not those that were packed before, nor any twice', async () => {
    const known = await put(5)
    const digest = digestOf(Buffer.from('elsewhere'))
    const sent = { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: 9 }
    store.layers.addCompressed(known.diffId, sent)
    const once = await put(5, 2)
    for (const layer of [known, once, once]) early.add(layer, ['gzip'])
    const last = await put(5, 3)
    early.add(last, ['gzip'])
    spare.give()
    await until(() => compressed(last.diffId).length > 0)
    assert.deepEqual(compressed(known.diffId), [digest])
    assert.equal(compressed(once.diffId).length, 1)
    const chunks = spare.asked
    assert.ok(chunks <= 2 * 21, `two of 5 MiB in pieces of 256 KiB: ${chunks}`)
  })

  it('are not those that take a large part of what is free on the disk', async () => {
    const { bavail, bsize } = statfsSync(directory.path)
    const size = Math.floor((bavail * bsize) / 3)
    const digest = digestOf(Buffer.from('any'))
    // Without blocks on the disk.
    writeFileSync(store.blobs.path(digest), '')
    truncateSync(store.blobs.path(digest), size)
    early.add({ diffId: asDiffId(digest), size }, ['gzip'])
    spare.give()
    await pause(100)
    assert.equal(spare.asked, 0)
    const fitting = await put(5)
    early.add(fitting, ['gzip'])
    await until(() => compressed(fitting.diffId).length > 0)
  })

  it('are read by an output while they grow, at full speed once the steps have ended', async () => {
    const { bytes, ...layer } = await put(9)
    early.add(layer, ['gzip'])
    await begin()
    const image = { ...layer, blob: undefined, origin: undefined }
    const blob = layerBlob(image, 'gzip', { store, early })
    assert.equal(blob.descriptor, undefined)
    const asked = spare.asked
    early.endSteps()
    const sent = await buffer(await blob.open())
    assert.ok(sent.equals(await packedBytes(bytes, 'gzip')))
    assert.equal(spare.asked, asked, 'it waits for nothing any more')
    assert.deepEqual(compressed(layer.diffId), [digestOf(sent)])
  })

  it('leave nothing when the build ends before them', async () => {
    const layer = await put(9)
    early.add(layer, ['gzip', 'zstd'])
    await begin()
    const growing = early.find(layer.diffId, 'gzip')
    assert.ok(growing)
    await early[Symbol.asyncDispose]()
    await assert.rejects(growing.made, { code: 'CANCELLED' })
    assert.equal(blobsIn().length, 1)
    assert.deepEqual(compressed(layer.diffId), [])
    assert.deepEqual(drafts(), [])
  })

  it('are packed by the output when that fails early', async () => {
    const { bytes, ...layer } = await put(9)
    early.add(layer, ['gzip'])
    await begin()
    const growing = early.find(layer.diffId, 'gzip')
    const [folder = ''] = drafts()
    rmSync(folder, { recursive: true })
    spare.give()
    await assert.rejects(growing?.made ?? Promise.resolve())
    assert.equal(early.find(layer.diffId, 'gzip'), undefined)
    const image = { ...layer, blob: undefined, origin: undefined }
    const blob = layerBlob(image, 'gzip', { store, early })
    const sent = await buffer(await blob.open())
    assert.ok(sent.equals(await packedBytes(bytes, 'gzip')))
  })

  it('give the reason to the output where the tar was damaged', async () => {
    const layer = await put(9)
    writeFileSync(store.blobs.path(uncompressedDigest(layer.diffId)), 'other', { flag: 'r+' })
    early.add(layer, ['gzip'])
    spare.give()
    await until(() => early.find(layer.diffId, 'gzip')?.state === 'failed')
    assert.deepEqual(compressed(layer.diffId), [])
    const image = { ...layer, blob: undefined, origin: undefined }
    const blob = layerBlob(image, 'gzip', { store, early })
    await assert.rejects(async () => buffer(await blob.open()), {
      code: 'DIGEST_MISMATCH',
      message: /is damaged on the disk/,
    })
  })

  it('have a span of their own, without what they wait for', async () => {
    const layer = await put(5)
    early.add(layer, ['gzip'])
    const started = performance.now()
    await begin()
    await pause(300)
    spare.give()
    await until(() => compressed(layer.diffId).length > 0)
    const elapsed = performance.now() - started
    spans.close()
    const packing = events.flatMap((event) =>
      event.type === 'span' && event.part === 'packing' ? [event.milliseconds] : [],
    )
    assert.equal(packing.length, 2)
    const sum = packing.reduce((total, one) => total + one, 0)
    assert.ok(sum > 0 && sum <= elapsed - 290, `${sum} of ${elapsed}`)
  })
})
