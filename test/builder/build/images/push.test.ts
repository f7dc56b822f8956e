import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Output, pushFromStore } from '#builder'
import { openStore } from '#cache'
import { digestOf, hexOf, MEDIA_TYPES, parseDiffId } from '#core'
import { parseManifest } from '../../../support/manifest/index.ts'
import { MemoryRegistry } from '../../../support/registry/index.ts'
import { type ForeignLayer, foreignImage, foreignLayer, publish } from '../support/images.ts'
import { namesOf, Workplace } from '../support/workplace.ts'

const PUSH: readonly Output[] = [{ type: 'registry' }]

describe('push', () => {
  let at: Workplace
  let layer: ForeignLayer
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A'.repeat(5000), b: 'B' })
    layer = await foreignLayer({ x: '1' })
    publish(at.registry, 'base', foreignImage([layer]))
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const push = (dockerfile: readonly string[], ...names: readonly string[]) =>
    at.build(dockerfile, { tags: names.map((name) => at.at(name)), outputs: PUSH })
  const uploads = (log: readonly string[]): readonly string[] =>
    log.filter((line) => /^(POST|PATCH|PUT) .*\/blobs\//.test(line))
  const fetches = (log: readonly string[]): readonly string[] =>
    log.filter((line) => line === `GET /v2/base/blobs/${layer.descriptor.digest}`)
  const isInStore = (): boolean =>
    existsSync(join(at.path('store'), 'blobs/sha256', hexOf(layer.descriptor.digest)))

  it('sends the image that the result describes, the tag last', async () => {
    const built = await push(['FROM scratch', 'COPY a /', 'COPY b /'], 'app:1')
    const stored = at.registry.manifest('app', '1')
    assert.ok(stored)
    assert.equal(digestOf(stored.bytes), built.digest)
    const manifest = parseManifest(stored.bytes, stored.mediaType)
    assert.equal(manifest.config.digest, built.imageId)
    for (const { digest, mediaType } of manifest.layers) {
      assert.equal(mediaType, MEDIA_TYPES.ociLayerGzip)
      assert.ok(at.registry.blob('app', digest))
    }
    const log = at.takeLog()
    assert.equal(log.at(-1), 'PUT /v2/app/manifests/1')
    assert.equal(log.at(-2), `PUT /v2/app/manifests/${built.digest}`)
    assert.equal(at.registry.openUploads, 0)
  })

  it('sends and packs nothing the second time, nor for another tag', async () => {
    const text = ['FROM scratch', 'COPY a /', 'COPY b /']
    const first = await push(text, 'app:1')
    at.takeLog()
    for (const name of ['app:1', 'app:2']) {
      const again = await push(text, name)
      assert.equal(again.digest, first.digest)
      assert.deepEqual(uploads(at.takeLog()), [])
    }
    assert.deepEqual(at.registry.manifest('app', '2'), at.registry.manifest('app', '1'))
  })

  it('gives several tags of a repository in one go, and mounts for another repository', async () => {
    await push(['FROM scratch', 'COPY a /', 'COPY b /'], 'one:1', 'one:2', 'two:1')
    for (const [name, tag] of ['one:1', 'one:2', 'two:1'].map((text) => text.split(':'))) {
      assert.ok(at.registry.manifest(name ?? '', tag ?? ''))
    }
    const toTwo = at.registry.requests.filter(({ url }) => url.startsWith('/v2/two/blobs/uploads'))
    const mounted = toTwo.filter(({ method, status }) => method === 'POST' && status === 201)
    assert.equal(mounted.length, 2)
    const sent = toTwo.filter(({ method }) => method === 'PUT')
    assert.equal(sent.length, 1, 'only the config')
  })

  it('leaves no tag when it fails', async () => {
    at.registry.fail({
      method: 'PUT',
      path: /\/blobs\/uploads\//,
      times: 99,
      action: { kind: 'reply', reply: { status: 403 } },
    })
    await assert.rejects(push(['FROM scratch', 'COPY a /'], 'app:1'), { code: 'REGISTRY_DENIED' })
    assert.equal(at.registry.manifest('app', '1'), undefined)
    assert.ok(!at.takeLog().some((line) => line.includes('/manifests/')))
  })

  it('packs layers as the output requires', async () => {
    for (const [compression, mediaType] of [
      ['zstd', MEDIA_TYPES.ociLayerZstd],
      ['uncompressed', MEDIA_TYPES.ociLayer],
    ] as const) {
      await at.build(['FROM scratch', 'COPY a /'], {
        tags: [at.at(`app:${compression}`)],
        outputs: [{ type: 'registry', compression }],
      })
      const stored = at.registry.manifest('app', compression)
      assert.ok(stored)
      const [first] = parseManifest(stored.bytes, stored.mediaType).layers
      assert.equal(first?.mediaType, mediaType)
    }
  })

  it('mounts the layers of a base that nothing looks into, without fetching them', async () => {
    for (const text of [['LABEL a=b'], ['COPY --link a /a']]) {
      await push([`FROM ${at.at('base')}`, ...text], 'app')
      assert.deepEqual(fetches(at.takeLog()), [])
      assert.equal(isInStore(), false)
      assert.ok(at.registry.blob('app', layer.descriptor.digest))
    }
  })

  it('copies such layers straight to another registry', async () => {
    await using other = await MemoryRegistry.start()
    await at.build([`FROM ${at.at('base')}`, 'LABEL a=b'], {
      tags: [`${other.host}/app`],
      outputs: PUSH,
    })
    assert.equal(fetches(at.takeLog()).length, 1)
    // The next registry gets it from there.
    assert.equal(isInStore(), true)
    assert.ok(other.blob('app', layer.descriptor.digest))
  })

  it('does not fetch a layer again that a step needed', async () => {
    await using other = await MemoryRegistry.start()
    await at.build([`FROM ${at.at('base')}`, 'COPY a /a'], {
      tags: [`${other.host}/app`],
      outputs: PUSH,
    })
    assert.equal(fetches(at.takeLog()).length, 1)
    assert.ok(other.blob('app', layer.descriptor.digest))
  })

  it('packs plain layers of a base, once', async () => {
    const plain = await foreignLayer({ y: '1' }, 'none', 'docker')
    publish(at.registry, 'plain', foreignImage([plain], { family: 'docker' }))
    const text = [`FROM ${at.at('plain')}`, 'LABEL a=b']
    await push(text, 'app:1')
    at.takeLog()
    await push(text, 'app:2')
    assert.deepEqual(uploads(at.takeLog()), [])
  })

  it('does not count on packing a layer as it was packed elsewhere', async () => {
    const text = ['FROM scratch', 'COPY a /']
    const built = await at.build(text)
    {
      await using store = openStore(at.path('store'))
      const diffId = parseDiffId(built.layers[0]?.diffId ?? '')
      const digest = digestOf('by another compressor')
      store.layers.addCompressed(diffId, { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: 99 })
    }
    await push(text, 'app')
    assert.ok(at.registry.manifest('app', 'latest'))
    await at.build(text, { outputs: [{ type: 'oci', dest: at.path('x.tar') }] })
  })

  it('does not believe an image that calls its blob by the diffID of another layer', async () => {
    const text = ['FROM scratch', 'COPY a /']
    const [own] = (await at.build(text)).layers
    const lie = await foreignLayer({ evil: '1' })
    const diffIds = [parseDiffId(own?.diffId ?? '')]
    publish(at.registry, 'liar', foreignImage([lie], { diffIds }))
    await at.build([`FROM ${at.at('liar')}`, 'LABEL a=b'])
    await push(text, 'app')
    assert.equal(at.registry.blob('app', lie.descriptor.digest), undefined)
  })

  it('serves several outputs at once', async () => {
    const built = await at.build(['FROM scratch', 'COPY a /'], {
      tags: [at.at('app')],
      outputs: [
        { type: 'store' },
        { type: 'oci', dest: at.path('oci.tar') },
        { type: 'local', dest: at.path('files') },
        { type: 'registry' },
      ],
    })
    assert.equal(namesOf(built.events, 'done').length, 5)
    assert.ok(existsSync(at.path('oci.tar')) && existsSync(at.path('files/a')))
    const stored = at.registry.manifest('app', 'latest')
    assert.ok(stored)
    assert.equal(digestOf(stored.bytes), built.digest)
    await using store = openStore(at.path('store'))
    assert.ok(store.images.get(at.at('app:latest')))
  })

  it('reports no tags when nothing was named', async () => {
    const outputs: readonly Output[] = [{ type: 'local', dest: at.path('files') }]
    const built = await at.build(['FROM scratch', 'COPY a /'], { tags: ['x'], outputs })
    assert.deepEqual([built.tags, built.digest, built.imageId], [[], undefined, undefined])
  })

  describe('from the store', () => {
    it('sends what was built before', async () => {
      await at.build([`FROM ${at.at('base')}`, 'COPY a /'], { tags: [at.at('app:1')] })
      at.takeLog()
      const pushed = await pushFromStore({ name: at.at('app:1'), root: at.path('store') })
      assert.equal(pushed.name, at.at('app:1'))
      const stored = at.registry.manifest('app', '1')
      assert.ok(stored)
      assert.equal(digestOf(stored.bytes), pushed.descriptor.digest)
      at.takeLog()
      await pushFromStore({ name: at.at('app:1'), root: at.path('store') })
      assert.deepEqual(uploads(at.takeLog()), [])
    })

    it('has no image by an unknown name', async () => {
      const options = { name: at.at('app:1'), root: at.path('store') }
      await assert.rejects(pushFromStore(options), { code: 'NOT_FOUND' })
    })
  })
})
