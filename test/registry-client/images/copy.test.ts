import assert from 'node:assert/strict'
import { digestOf, MEDIA_TYPES, serializeManifest } from '#core'
import { copyImage, createIndex, type RegistryClient, repositoryTarget } from '#registry-client'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { AMD64, ARM64, addImage, addIndex, clientFor, repositoryOf } from '../support.ts'

describe('copying images', () => {
  let from: MemoryRegistry
  let to: MemoryRegistry
  let client: RegistryClient
  beforeEach(async () => {
    from = await MemoryRegistry.start()
    to = await MemoryRegistry.start()
    client = clientFor()
  })
  afterEach(async () => {
    await client.close()
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
  })

  const target = (tags: readonly string[] = ['copy']) =>
    repositoryTarget(repositoryOf(client, to, 'to/app'), { tags })

  const writes = () =>
    to.requests.filter(({ method }) => method === 'PUT').map(({ url }) => url.split('?', 1)[0])

  it('sends blobs, then documents with what they list first, then the tag', async () => {
    const amd = addImage(from, 'team/app', { platform: AMD64 })
    const arm = addImage(from, 'team/app', { platform: ARM64 })
    const index = addIndex(from, { name: 'team/app', tag: '1' }, [amd.manifest, arm.manifest])
    const source = repositoryOf(client, from)
    const { root, named } = await copyImage({ from: source, to: target() }, '1')
    assert.equal(root.digest, index.digest)
    assert.equal(named.digest, index.digest)
    const documents = writes().filter((path) => path?.includes('/manifests/'))
    assert.deepEqual(
      documents.map((path) => path?.split('/').at(-1)),
      [amd.manifest.digest, arm.manifest.digest, index.digest, 'copy'],
    )
    const lastBlob = writes().findLastIndex((path) => path?.includes('/uploads/'))
    const firstDocument = writes().findIndex((path) => path?.includes('/manifests/'))
    assert.ok(lastBlob >= 0 && lastBlob < firstDocument)
  })

  it('takes the image for one platform of an index', async () => {
    const amd = addImage(from, 'team/app', { platform: AMD64 })
    const arm = addImage(from, 'team/app', { platform: ARM64 })
    const index = addIndex(from, { name: 'team/app', tag: '1' }, [amd.manifest, arm.manifest])
    const route = { from: repositoryOf(client, from), to: target() }
    const { root, named } = await copyImage(route, '1', { platform: ARM64 })
    assert.equal(root.digest, arm.manifest.digest)
    assert.equal(named.digest, index.digest)
    await assert.rejects(repositoryOf(client, to, 'to/app').resolve(amd.manifest.digest), {
      code: 'NOT_FOUND',
    })
  })

  it('sets no tag when a part is missing, or lies about its size', async () => {
    const amd = addImage(from, 'team/app', { platform: AMD64 })
    const absent = {
      ...amd.manifest,
      digest: addImage(to, 'x/y', { platform: ARM64 }).manifest.digest,
    }
    addIndex(from, { name: 'team/app', tag: 'absent' }, [amd.manifest, absent])
    addIndex(from, { name: 'team/app', tag: 'size' }, [{ ...amd.manifest, size: 1 }])
    const route = { from: repositoryOf(client, from), to: target() }
    await assert.rejects(copyImage(route, 'absent'), { code: 'NOT_FOUND' })
    await assert.rejects(copyImage(route, 'size'), { code: 'MANIFEST_INVALID' })
    assert.deepEqual(writes(), [])
  })

  it('refuses more bytes of manifests than an index of real images has', async () => {
    const config = addImage(from, 'team/app').manifest
    const parts = Array.from({ length: 24 }, (_, number) => {
      const mediaType = MEDIA_TYPES.ociManifest
      const annotations = { large: String(number).padEnd(3_000_000, 'x') }
      const described = { ...config, mediaType: MEDIA_TYPES.ociConfig }
      const bytes = serializeManifest({ mediaType, config: described, layers: [], annotations })
      const digest = digestOf(bytes)
      from.addManifest('team/app', digest, { mediaType, bytes })
      return { mediaType, digest, size: bytes.length }
    })
    addIndex(from, { name: 'team/app', tag: 'large' }, parts)
    const route = { from: repositoryOf(client, from), to: target() }
    await assert.rejects(copyImage(route, 'large'), { code: 'MANIFEST_INVALID', message: /bytes/ })
    assert.deepEqual(writes(), [])
  })

  it('makes an index whose attestations go with their images', async () => {
    const amd = addImage(from, 'team/app', { platform: AMD64 })
    const arm = addImage(from, 'team/app', { platform: ARM64 })
    const attestation = {
      ...addImage(from, 'team/app', { platform: { os: 'unknown', architecture: 'unknown' } })
        .manifest,
      annotations: { 'vnd.docker.reference.digest': arm.manifest.digest },
    }
    const parts = [amd.manifest, arm.manifest, attestation]
    addIndex(from, { name: 'team/app', tag: '1' }, parts)
    const sources = [{ registry: from.host, repository: 'team/app', tag: '1' }]
    const tags = [{ registry: to.host, repository: 'to/app', tag: 'new' }]
    const made = await createIndex(client, { sources, tags, platforms: [AMD64] })
    const { manifests } = JSON.parse(Buffer.from(made.bytes).toString())
    assert.deepEqual(
      manifests.map((one: { digest: string }) => one.digest),
      [amd.manifest.digest],
    )
    assert.equal(made.descriptor.mediaType, MEDIA_TYPES.ociIndex)
    const both = await createIndex(client, { sources, tags, platforms: [ARM64] })
    assert.equal(JSON.parse(Buffer.from(both.bytes).toString()).manifests.length, 2)
    const { digest } = await repositoryOf(client, to, 'to/app').resolve('new')
    assert.equal(digest, both.descriptor.digest)
  })
})
