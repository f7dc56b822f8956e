import assert from 'node:assert/strict'
import {
  type Bytes,
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
  parseManifest,
  serializeManifest,
  TsbuildError,
} from '#core'
import {
  type PushImage,
  type PushLayer,
  type PushProgress,
  pushImage,
  type RegistryClient,
  RegistryError,
  type Repository,
} from '#registry-client'
import { MemoryRegistry } from '../support/registry/index.ts'
import { blobOf, clientFor, pieces, repositoryOf, someBytes, TestTiming } from './support.ts'

const NAME = 'team/app'
const BYTES = someBytes(200_000)
const BLOB = blobOf(BYTES)

describe('pushing', () => {
  let registry: MemoryRegistry
  let client: RegistryClient
  let repository: Repository
  let timing: TestTiming

  beforeEach(async () => {
    registry = await MemoryRegistry.start()
    timing = new TestTiming()
    client = clientFor({ timing, timeouts: { stored: 400 } })
    repository = repositoryOf(client, registry)
  })
  afterEach(async () => {
    await client.close()
    await registry.close()
  })

  describe('put', () => {
    it('stores a blob with one POST and one PUT', async () => {
      assert.equal(await repository.has(BLOB), false)
      await repository.put(BLOB, pieces(BYTES))
      assert.equal(await repository.has(BLOB), true)
      assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
      const methods = registry.requests.map(({ method }) => method)
      assert.deepEqual(methods, ['HEAD', 'POST', 'PUT', 'HEAD'])
      assert.equal(registry.requests[2]?.headers['content-length'], String(BYTES.length))
    })

    it('leaves the query of the location as the registry wrote it', async () => {
      await repository.put(BLOB, pieces(BYTES))
      const put = registry.requests.find(({ method }) => method === 'PUT')
      assert.match(put?.url ?? '', /\?_state=a%2Fb\+c-0&digest=sha256%3A[0-9a-f]{64}$/)
    })

    it('stores an empty blob', async () => {
      const empty = blobOf(Buffer.alloc(0))
      await repository.put(empty, pieces(Buffer.alloc(0)))
      assert.equal(registry.blob(NAME, empty.digest)?.length, 0)
    })

    const wrong: readonly (readonly [string, Descriptor, string])[] = [
      ['another digest', { ...BLOB, digest: digestOf('x') }, 'DIGEST_MISMATCH'],
      ['too many bytes', { ...BLOB, size: BLOB.size - 1 }, 'SIZE_MISMATCH'],
      ['too few bytes', { ...BLOB, size: BLOB.size + 1 }, 'SIZE_MISMATCH'],
    ]
    for (const [what, descriptor, code] of wrong) {
      it(`refuses ${what} and leaves nothing behind`, async () => {
        await assert.rejects(
          repository.put(descriptor, () => pieces(BYTES)),
          { code },
        )
        const puts = registry.requests.filter(({ method }) => method === 'PUT')
        assert.equal(puts.length, 1)
        assert.ok((puts[0]?.bodySize ?? 0) < descriptor.size, 'the last chunk is held back')
        assert.equal(registry.openUploads, 0)
      })
    }

    it('starts over when the connection breaks and the bytes can be had again', async () => {
      registry.fail({ method: 'PUT', times: 2, action: { kind: 'reset', afterBytes: 50_000 } })
      let opened = 0
      await repository.put(BLOB, () => {
        opened++
        return pieces(BYTES)
      })
      assert.equal(opened, 3)
      assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
      assert.equal(registry.openUploads, 0)
    })

    it('makes one attempt with bytes that come once', async () => {
      registry.fail({ method: 'PUT', action: { kind: 'reset', afterBytes: 50_000 } })
      await assert.rejects(repository.put(BLOB, pieces(BYTES)), { code: 'REGISTRY_UNREACHABLE' })
      assert.equal(registry.requests.filter(({ method }) => method === 'PUT').length, 1)
    })

    it('refuses a registry that stores it under another digest', async () => {
      registry.fail({
        method: 'PUT',
        action: {
          kind: 'edit',
          edit: () => ({ status: 201, headers: { 'docker-content-digest': digestOf('x') } }),
        },
      })
      await assert.rejects(
        repository.put(BLOB, () => pieces(BYTES)),
        { code: 'DIGEST_MISMATCH' },
      )
    })

    it('passes on what reading the source throws', async () => {
      const failure = new TsbuildError('read x: gone', { code: 'IO_FAILED' })
      const source = async function* (): Bytes {
        yield BYTES.subarray(0, 10)
        throw failure
      }
      await assert.rejects(repository.put(BLOB, source), (error) => error === failure)
      assert.equal(registry.openUploads, 0)
    })
  })

  describe('mount', () => {
    it('takes over a blob of another repository', async () => {
      registry.addBlob('library/base', BYTES)
      assert.equal(await repository.mount(BLOB, 'library/base'), true)
      assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
    })

    it('cancels the upload that a registry starts instead', async () => {
      assert.equal(await repository.mount(BLOB, 'library/base'), false)
      assert.equal(registry.openUploads, 0)
    })

    it('gives up quietly when it is not allowed', async () => {
      registry.fail({ method: 'POST', action: { kind: 'reply', reply: { status: 403 } } })
      assert.equal(await repository.mount(BLOB, 'library/base'), false)
    })
  })

  describe('upload', () => {
    it('finds digest and size while it sends', async () => {
      const descriptor = await repository.upload(MEDIA_TYPES.ociLayerGzip, () => pieces(BYTES))
      assert.deepEqual(descriptor, blobOf(BYTES, MEDIA_TYPES.ociLayerGzip))
      assert.deepEqual(registry.blob(NAME, descriptor.digest), BYTES)
      const patch = registry.requests.find(({ method }) => method === 'PATCH')
      assert.equal(patch?.headers['transfer-encoding'], 'chunked')
      assert.equal(patch?.headers['content-range'], undefined)
    })

    it('uploads nothing, too', async () => {
      const descriptor = await repository.upload(MEDIA_TYPES.ociLayer, () =>
        pieces(Buffer.alloc(0)),
      )
      assert.equal(descriptor.size, 0)
      assert.equal(registry.blob(NAME, descriptor.digest)?.length, 0)
    })

    const broken: readonly (readonly [string, Parameters<MemoryRegistry['fail']>[0]])[] = [
      ['a reset', { method: 'PATCH', times: 2, action: { kind: 'reset', afterBytes: 30_000 } }],
      ['a silent registry', { method: 'PATCH', action: { kind: 'stall' } }],
      ['a 503', { method: 'PATCH', times: 2, action: { kind: 'reply', reply: { status: 503 } } }],
      ['a lost session', { method: 'PATCH', action: { kind: 'reply', reply: { status: 404 } } }],
      ['a wrong offset', { method: 'PATCH', action: { kind: 'reply', reply: { status: 416 } } }],
    ]
    for (const [what, fault] of broken) {
      it(`starts over after ${what}`, async () => {
        registry.fail(fault)
        let opened = 0
        const descriptor = await repository.upload(MEDIA_TYPES.ociLayer, () => {
          opened++
          return pieces(BYTES)
        })
        assert.equal(opened, (fault.times ?? 1) + 1)
        assert.equal(descriptor.digest, BLOB.digest)
        assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
        assert.equal(registry.openUploads, 0)
      })
    }

    it('names the layer when it gives up after six attempts', async () => {
      registry.fail({
        method: 'PATCH',
        times: 99,
        action: { kind: 'reply', reply: { status: 500 } },
      })
      await assert.rejects(
        repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES)),
        (error) => {
          assert.ok(error instanceof RegistryError)
          assert.equal(error.code, 'REGISTRY_FAILED')
          assert.equal(error.status, 500)
          assert.equal(
            error.message,
            `push a layer to ${registry.host}/${NAME}: registry ${registry.host} answered 500`,
          )
          return true
        },
      )
      assert.equal(registry.requests.filter(({ method }) => method === 'PATCH').length, 6)
      assert.equal(timing.slept.length, 5)
    })

    it('cancels the upload when aborted', async () => {
      const controller = new AbortController()
      const endless = async function* (): Bytes {
        for (;;) {
          yield BYTES
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      }
      setTimeout(() => controller.abort(), 50)
      await assert.rejects(
        repository.upload(MEDIA_TYPES.ociLayer, endless, { signal: controller.signal }),
        { code: 'CANCELLED' },
      )
      assert.equal(registry.openUploads, 0)
    })
  })

  describe('putManifest', () => {
    it('is repeated until it is stored', async () => {
      const bytes = manifestFor([])
      registry.addBlob(NAME, CONFIG)
      registry.fail({ times: 3, action: { kind: 'reply', reply: { status: 502 } } })
      registry.fail({ action: { kind: 'reset' } })
      const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes }
      assert.equal(await repository.putManifest('1', manifest), digestOf(bytes))
      assert.deepEqual(registry.manifest(NAME, '1')?.bytes, bytes)
      assert.equal(registry.requests.length, 5)
    })

    it('tells why a registry refuses it', async () => {
      const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes: manifestFor([BLOB]) }
      await assert.rejects(repository.putManifest('1', manifest), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.deepEqual(error.registryCodes, ['MANIFEST_BLOB_UNKNOWN'])
        return true
      })
    })
  })

  describe('pushImage', () => {
    const layers = [1, 2, 3].map((seed) => someBytes(60_000, seed))

    function image(options: Partial<PushImage> = {}): PushImage {
      return {
        layers: layers.map(
          (bytes, i): PushLayer =>
            i === 1
              ? {
                  kind: 'stream',
                  id: `layer${i}`,
                  mediaType: MEDIA_TYPES.ociLayerGzip,
                  open: () => pieces(bytes),
                }
              : {
                  kind: 'blob',
                  id: `layer${i}`,
                  descriptor: blobOf(bytes),
                  open: () => pieces(bytes),
                },
        ),
        config: { mediaType: MEDIA_TYPES.ociConfig, bytes: CONFIG },
        assemble: (config, descriptors) => ({
          mediaType: MEDIA_TYPES.ociManifest,
          bytes: serializeManifest({
            mediaType: MEDIA_TYPES.ociManifest,
            config,
            layers: descriptors,
          }),
        }),
        tags: ['1.0', 'latest'],
        ...options,
      }
    }

    it('sends blobs, then the manifest, then the tags', async () => {
      const pushed = await pushImage(repository, image())
      const stored = registry.manifest(NAME, 'latest')
      assert.equal(digestOf(stored?.bytes ?? Buffer.alloc(0)), pushed.manifest.digest)
      const manifest = parseManifest(stored?.bytes ?? Buffer.alloc(0), MEDIA_TYPES.ociManifest)
      assert.deepEqual(
        manifest.layers.map(({ digest }) => registry.blob(NAME, digest)),
        layers,
      )
      assert.equal(manifest.layers[1]?.mediaType, MEDIA_TYPES.ociLayerGzip)
      assert.deepEqual(registry.log.slice(-3), [
        `PUT /v2/${NAME}/manifests/${pushed.manifest.digest}`,
        `PUT /v2/${NAME}/manifests/1.0`,
        `PUT /v2/${NAME}/manifests/latest`,
      ])
      assert.equal(registry.log.filter((line) => line.includes('manifests')).length, 3)
    })

    it('sends nothing that is there, and mounts what it can', async () => {
      registry.addBlob(NAME, layers[0] ?? Buffer.alloc(0))
      registry.addBlob('library/base', layers[2] ?? Buffer.alloc(0))
      const events: PushProgress[] = []
      await pushImage(
        repository,
        image({
          layers: image().layers.map((layer) =>
            layer.kind === 'blob' ? { ...layer, mountFrom: 'library/base' } : layer,
          ),
          onProgress: (event) => events.push(event),
        }),
      )
      const done = events.filter((event) => event.done)
      const notes = new Map(done.map(({ id, note }) => [id, note]))
      assert.equal(done.length, 4)
      assert.equal(notes.get('layer0'), 'exists')
      assert.equal(notes.get('layer1'), undefined)
      assert.equal(notes.get('layer2'), 'mounted')
      const last = events.findLast(({ id }) => id === 'layer1')
      assert.deepEqual(last, { id: 'layer1', current: 60_000, total: 60_000, done: true })
    })

    it('sends a layer that appears twice once', async () => {
      const [first] = image().layers
      assert.ok(first !== undefined)
      const done: string[] = []
      const onProgress = (event: PushProgress): void => {
        if (event.done) done.push(event.id)
      }
      const twice = [first, { ...first, id: 'x' }]
      const pushed = await pushImage(repository, image({ layers: twice, onProgress }))
      assert.deepEqual(pushed.layers[0], pushed.layers[1])
      assert.ok(done.includes('layer0') && done.includes('x'))
      assert.equal(registry.requests.filter(({ method }) => method === 'POST').length, 2)
    })

    it('names nothing and leaves nothing under way when a layer fails', async () => {
      const failure = new TsbuildError('read layer: gone', { code: 'IO_FAILED' })
      const failing: PushLayer = {
        kind: 'stream',
        id: 'bad',
        mediaType: MEDIA_TYPES.ociLayer,
        open: async function* (): Bytes {
          yield BYTES.subarray(0, 10)
          throw failure
        },
      }
      const work = pushImage(repository, image({ layers: [...image().layers, failing] }))
      await assert.rejects(work, (error) => error === failure)
      assert.equal(registry.openUploads, 0)
      assert.equal(
        registry.log.some((line) => line.includes('manifests')),
        false,
      )
    })

    it('survives a registry that fails three requests out of ten', async () => {
      let state = 42
      const random = (): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
        return state / 0x7fffffff
      }
      for (let round = 0; round < 20; round++) {
        registry.clearFaults()
        for (let nth = 0; nth < 60; nth++) {
          if (random() < 0.7) continue
          const status = [500, 502, 503, 504, 429][nth % 5] ?? 500
          const action =
            random() < 0.5
              ? { kind: 'reply' as const, reply: { status } }
              : { kind: 'reset' as const }
          registry.fail({ after: nth, action })
        }
        const target = repositoryOf(client, registry, `team/app${round}`)
        const pushed = await pushImage(target, image())
        assert.deepEqual(
          registry.manifest(`team/app${round}`, 'latest')?.bytes,
          registry.manifest(`team/app${round}`, pushed.manifest.digest)?.bytes,
        )
        for (const { digest } of pushed.layers) {
          assert.ok(registry.blob(`team/app${round}`, digest) !== undefined)
        }
      }
    })
  })
})

const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}')

function manifestFor(layers: readonly Descriptor[]): Buffer {
  const config = blobOf(CONFIG, MEDIA_TYPES.ociConfig)
  return serializeManifest({ mediaType: MEDIA_TYPES.ociManifest, config, layers })
}
