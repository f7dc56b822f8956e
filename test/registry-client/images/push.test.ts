import assert from 'node:assert/strict'
import { type Bytes, digestOf, MEDIA_TYPES, serializeManifest, TsbuildError } from '#core'
import { type PushImage, type PushLayer, type PushProgress, pushImage } from '#registry-client'
import { parseManifest } from '../../support/manifest/index.ts'
import { useRegistry } from '../fixture.ts'
import { blobOf, pieces, repositoryOf, someBytes } from '../support.ts'

const NAME = 'team/app'
const BYTES = someBytes(200_000)

describe('pushing images', () => {
  const fixture = useRegistry({ timeouts: { stored: 400 } })

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
      const pushed = await pushImage(fixture.repository, image())
      const stored = fixture.registry.manifest(NAME, 'latest')
      assert.equal(digestOf(stored?.bytes ?? Buffer.alloc(0)), pushed.manifest.digest)
      const manifest = parseManifest(stored?.bytes ?? Buffer.alloc(0), MEDIA_TYPES.ociManifest)
      assert.deepEqual(
        manifest.layers.map(({ digest }) => fixture.registry.blob(NAME, digest)),
        layers,
      )
      assert.equal(manifest.layers[1]?.mediaType, MEDIA_TYPES.ociLayerGzip)
      assert.deepEqual(fixture.registry.log.slice(-3), [
        `PUT /v2/${NAME}/manifests/${pushed.manifest.digest}`,
        `PUT /v2/${NAME}/manifests/1.0`,
        `PUT /v2/${NAME}/manifests/latest`,
      ])
      assert.equal(fixture.registry.log.filter((line) => line.includes('manifests')).length, 3)
    })

    it('sends nothing that is there, and mounts what it can', async () => {
      fixture.registry.addBlob(NAME, layers[0] ?? Buffer.alloc(0))
      fixture.registry.addBlob('library/base', layers[2] ?? Buffer.alloc(0))
      const events: PushProgress[] = []
      await pushImage(
        fixture.repository,
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
      const pushed = await pushImage(fixture.repository, image({ layers: twice, onProgress }))
      assert.deepEqual(pushed.layers[0], pushed.layers[1])
      assert.ok(done.includes('layer0') && done.includes('x'))
      assert.equal(fixture.registry.requests.filter(({ method }) => method === 'POST').length, 2)
    })

    it('sends different layers with one ID for progress', async () => {
      const layers = image().layers.map((layer) => ({ ...layer, id: 'layer' }))
      const pushed = await pushImage(fixture.repository, image({ layers }))
      const other = await pushImage(fixture.repository, image())
      assert.ok(layers.length > 1)
      assert.deepEqual(pushed.layers, other.layers)
    })

    it('names nothing and leaves nothing under way when a layer fails', async () => {
      const failure = new TsbuildError('read layer: not found', { code: 'IO_FAILED' })
      const failing: PushLayer = {
        kind: 'stream',
        id: 'bad',
        mediaType: MEDIA_TYPES.ociLayer,
        open: async function* (): Bytes {
          yield BYTES.subarray(0, 10)
          throw failure
        },
      }
      const work = pushImage(fixture.repository, image({ layers: [...image().layers, failing] }))
      await assert.rejects(work, (error) => error === failure)
      assert.equal(fixture.registry.openUploads, 0)
      assert.equal(
        fixture.registry.log.some((line) => line.includes('manifests')),
        false,
      )
    })

    it('sends again what the registry lost before the manifest came', async () => {
      const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = layers
      fixture.registry.addBlob(NAME, first)
      const run = (): void => {
        for (const lost of [first, second, CONFIG]) fixture.registry.dropBlob(NAME, digestOf(lost))
      }
      fixture.registry.fail({ method: 'PUT', path: /manifests/, action: { kind: 'before', run } })
      const { manifest } = await pushImage(fixture.repository, image())
      for (const bytes of [...layers, CONFIG]) {
        assert.deepEqual(fixture.registry.blob(NAME, digestOf(bytes)), bytes)
      }
      const stored = fixture.registry.manifest(NAME, 'latest')
      assert.equal(digestOf(stored?.bytes ?? Buffer.alloc(0)), manifest.digest)
    })

    it('sends everything again where the registry says that it has what it does not find', async () => {
      const before = fixture.registry.requests.length
      const body = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'
      const action = { kind: 'reply', reply: { status: 404, body } } as const
      fixture.registry.fail({ method: 'PUT', path: /manifests/, times: 4, action })
      await pushImage(fixture.repository, image())
      const posts = fixture.registry.requests
        .slice(before)
        .filter(({ method }) => method === 'POST')
      assert.equal(posts.length, 8)
    })

    it('gives up on a registry that loses it again', async () => {
      const run = (): void => fixture.registry.dropBlob(NAME, digestOf(CONFIG))
      const action = { kind: 'before', run } as const
      fixture.registry.fail({ method: 'PUT', path: /manifests/, times: 99, action })
      await assert.rejects(pushImage(fixture.repository, image()), {
        registryCodes: ['MANIFEST_BLOB_UNKNOWN'],
      })
      assert.deepEqual(fixture.registry.tagsOf(NAME), [])
    })

    it('survives a registry that fails three requests out of ten', async () => {
      let state = 42
      const random = (): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
        return state / 0x7fffffff
      }
      for (let round = 0; round < 20; round++) {
        fixture.registry.clearFaults()
        for (let nth = 0; nth < 60; nth++) {
          if (random() < 0.7) continue
          const status = [500, 502, 503, 504, 429][nth % 5] ?? 500
          const action =
            random() < 0.5
              ? { kind: 'reply' as const, reply: { status } }
              : { kind: 'reset' as const }
          fixture.registry.fail({ after: nth, action })
        }
        const target = repositoryOf(fixture.client, fixture.registry, `team/app${round}`)
        const pushed = await pushImage(target, image())
        assert.deepEqual(
          fixture.registry.manifest(`team/app${round}`, 'latest')?.bytes,
          fixture.registry.manifest(`team/app${round}`, pushed.manifest.digest)?.bytes,
        )
        for (const { digest } of pushed.layers) {
          assert.ok(fixture.registry.blob(`team/app${round}`, digest) !== undefined)
        }
      }
    })
  })
})

const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}')
