import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { openStore, type Store } from '#cache'
import {
  asDiffId,
  type Bytes,
  type Descriptor,
  digestOf,
  hexOf,
  hostPlatform,
  MEDIA_TYPES,
  serializeImageConfig,
  uncompressedDigest,
} from '#core'
import { createRegistryClient, type RegistryClient } from '#registry-client'
import { directoryWriter } from '../../../../builder/export/archive/archive-writer.ts'
import type { ImageLayer } from '../../../../builder/export/layers/image-layer.ts'
import { layoutSink } from '../../../../builder/export/layout-sink.ts'
import { offerOf } from '../../../../builder/export/load-images.ts'
import { registrySink } from '../../../../builder/export/registry-sink.ts'
import { NO_CREDENTIALS } from '../../../suites/cache-shelf.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'
import { MemoryRegistry } from '../../../support/registry/index.ts'

/** What packs with gzip, and how often it did. */
class PackedBlocks implements Disposable {
  count = 0
  readonly #real = zlib.deflateRaw

  constructor() {
    const counted = (...args: unknown[]): unknown => {
      this.count += 1
      return Reflect.apply(this.#real, zlib, args)
    }
    Object.assign(zlib, { deflateRaw: counted })
    syncBuiltinESMExports()
  }

  [Symbol.dispose](): void {
    Object.assign(zlib, { deflateRaw: this.#real })
    syncBuiltinESMExports()
  }
}

describe('what a layer is packed to', () => {
  let directory: TemporaryDirectory
  let registries: readonly [MemoryRegistry, MemoryRegistry]
  let store: Store
  let client: RegistryClient
  let layer: ImageLayer & { readonly size: number }
  let packed: PackedBlocks
  beforeEach(async () => {
    directory = temporaryDirectory('kept')
    registries = [await MemoryRegistry.start(), await MemoryRegistry.start()]
    await open()
    const random = seededRandom(1)
    const words = Array.from({ length: 1000 }, () => random().toString(36).slice(2, 8))
    const text = Array.from({ length: 400_000 }, () => words[Math.floor(random() * 1000)])
    const bytes = Buffer.from(text.join(' '))
    const { digest, size } = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, bytes)
    layer = { diffId: asDiffId(digest), size, blob: undefined, origin: undefined }
    store.layers.register({ diffId: layer.diffId, size, presumed: undefined })
    packed = new PackedBlocks()
  })
  afterEach(async () => {
    packed[Symbol.dispose]()
    await close()
    for (const registry of registries) await registry.close()
    directory[Symbol.dispose]()
  })

  async function open(): Promise<void> {
    store = openStore(directory.file('store'))
    client = createRegistryClient({ credentials: NO_CREDENTIALS })
  }
  async function close(): Promise<void> {
    await client.close()
    await store[Symbol.asyncDispose]()
  }

  /** As the next process does. */
  async function reopen(): Promise<void> {
    await close()
    await open()
  }

  let archives = 0
  /** Writes a layout with the layer. @returns the blob in it */
  async function archive(level?: number, one: ImageLayer = layer): Promise<Descriptor> {
    const to = directory.file(`layout-${archives++}`)
    await using temporary = store.temporary()
    const sink = layoutSink(directoryWriter(to), {
      ...{ store, early: undefined, compression: 'gzip', level, names: [], format: 'oci' },
      ...{ platform: undefined, temporary, describe: (root: Descriptor) => root },
    })
    const blob = await sink.putLayer(one, {})
    const written = readFileSync(join(to, 'blobs/sha256', hexOf(blob.digest)))
    assert.equal(digestOf(written), blob.digest)
    return blob
  }

  function push(registry: MemoryRegistry, name = 'app', level?: number): Promise<Descriptor> {
    const repository = client.repository({ registry: registry.host, repository: name })
    const options = { store, early: undefined, compression: 'gzip', level, tags: [] } as const
    return registrySink(repository, { ...options, onProgress: () => undefined }).putLayer(layer, {})
  }

  const isKept = ({ digest }: Descriptor): boolean => store.blobs.statSpare(digest) !== undefined
  const uploads = ({ requests }: MemoryRegistry): readonly string[] =>
    requests.filter(({ bodySize }) => bodySize > 0).map(({ method }) => method)

  it('is kept: a second archive packs nothing, and has the same', async () => {
    const first = await archive()
    assert.ok(packed.count > 0)
    packed.count = 0
    await reopen()
    // Nothing that it could be packed of.
    rmSync(store.blobs.path(uncompressedDigest(layer.diffId)))
    assert.deepEqual(await archive(), first)
    assert.equal(packed.count, 0)
  })

  it('is kept by a push: another registry and an archive get the same without packing', async () => {
    const first = await push(registries[0])
    assert.ok(packed.count > 0)
    assert.deepEqual(uploads(registries[0]), ['PATCH'])
    packed.count = 0
    await reopen()
    assert.deepEqual(await push(registries[1]), first)
    assert.deepEqual(uploads(registries[1]), ['PUT'], 'its digest is known')
    assert.deepEqual(await archive(), first)
    assert.equal(packed.count, 0)
    assert.equal(registries[1].blob('app', first.digest)?.length, first.size)
  })

  it('is known by its parameters', async () => {
    const usual = await archive()
    const best = await archive(9)
    const least = await archive(1)
    assert.equal(new Set([usual, best, least].map(({ digest }) => digest)).size, 3)
    packed.count = 0
    await reopen()
    assert.deepEqual(await archive(9), best)
    assert.deepEqual(await archive(1), least)
    assert.deepEqual(await archive(), usual)
    assert.equal(packed.count, 0)
    await archive(2)
    assert.ok(packed.count > 0)
  })

  it('is packed again, to the same, where the bytes were removed or are damaged', async () => {
    const first = await archive()
    store.blobs.delete(first.digest)
    assert.deepEqual(await archive(), first)
    assert.ok(isKept(first))
    const path = store.blobs.path(first.digest)
    writeFileSync(path, 'other', { flag: 'r+' })
    // It has the name and the length already.
    await assert.rejects(archive(), { code: 'DIGEST_MISMATCH' })
    assert.equal(readdirSync(directory.file('store/corrupt')).length, 1)
    assert.deepEqual(await archive(), first)
    writeFileSync(path, 'other', { flag: 'r+' })
    // A push begins again.
    assert.deepEqual(await push(registries[0]), first)
    assert.equal(registries[0].blob('app', first.digest)?.length, first.size)
    assert.ok(isKept(first), 'once more')
  })

  it('is not kept by what fails, or ends in the middle', async () => {
    registries[0].fail({
      ...{ method: 'PUT', path: /uploads/, times: 100 },
      action: { kind: 'reply', reply: { status: 400 } },
    })
    await assert.rejects(push(registries[0]), { code: 'REGISTRY_FAILED' })
    assert.deepEqual(store.layers.compressed(layer.diffId), [])
    const draft = store.blobs.draft()
    const bytes = async function* (): Bytes {
      yield Buffer.from('one')
      yield Buffer.from('two')
    }
    for await (const chunk of draft.copying(bytes())) {
      assert.equal(String(chunk), 'one')
      break
    }
    assert.equal(draft.file, undefined)
    await reopen()
    assert.equal(readdirSync(directory.file('store/blobs/sha256')).length, 1)
    assert.deepEqual(readdirSync(directory.file('store/tmp')), [])
  })

  it('is neither waited for nor sealed until it is used a while later', async () => {
    const blob = await archive()
    const mode = (): number => lstatSync(store.blobs.path(blob.digest)).mode & 0o777
    await store.blobs.sync()
    await archive()
    await store.blobs.sync()
    assert.equal(mode(), 0o640)
    // What a name may lead to has to be on the disk.
    assert.ok(await store.blobs.has(blob))
    await store.blobs.sync()
    assert.equal(mode(), 0o444)
  })

  it('is kept by what is offered to a container engine', async () => {
    const platform = hostPlatform()
    const facts = { platform, created: '2026-01-01T00:00:00Z', config: {}, history: [] }
    const config = { ...facts, diffIds: [layer.diffId] }
    const configBytes = serializeImageConfig(config)
    const image = { platform, config, configBytes, id: digestOf(configBytes), layers: [layer] }
    const offered = async (): Promise<Descriptor | undefined> => {
      await using temporary = store.temporary()
      const packing = { store, early: undefined, compression: 'gzip', form: {}, temporary } as const
      const { local } = await offerOf({ images: [image], isIndex: false }, [], packing)
      const [one] = local.layers
      assert.equal(digestOf(readFileSync(one?.path() ?? '')), one?.descriptor.digest)
      return one?.descriptor
    }
    const first = await offered()
    assert.ok(packed.count > 0)
    packed.count = 0
    assert.deepEqual(await offered(), first)
    assert.deepEqual(await archive(), first)
    assert.equal(packed.count, 0)
  })

  it('of a base is fetched once for archives', async () => {
    const bytes = zlib.gzipSync(Buffer.alloc(100_000, 'a base '))
    const blob = registries[0].addBlob('base', bytes, MEDIA_TYPES.ociLayerGzip)
    const source = client.repository({ registry: registries[0].host, repository: 'base' })
    const base = {
      ...layer,
      diffId: asDiffId(digestOf('base')),
      blob: { descriptor: blob, source },
    }
    assert.equal((await archive(undefined, base)).digest, blob.digest)
    assert.equal((await archive(undefined, base)).digest, blob.digest)
    const fetched = registries[0].log.filter((line) => line.startsWith('GET /v2/base/blobs'))
    assert.equal(fetched.length, 1)
  })
})
