import assert from 'node:assert/strict'
import { type Descriptor, digestOf, MEDIA_TYPES, parseIndex, serializeManifest } from '#core'
import type { RegistryClient, Repository } from '#registry-client'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { addImage, clientFor, repositoryOf } from '../support.ts'

const NAME = 'team/app'
const SIGNATURE = 'application/vnd.test.signature'
const SBOM = 'application/vnd.test.sbom'

for (const listsReferrers of [true, false]) {
  describe(`referrers, ${listsReferrers ? 'listed by the registry' : 'under a tag'}`, () => {
    let registry: MemoryRegistry
    let client: RegistryClient
    let repository: Repository
    let subject: Descriptor
    let tag: string
    beforeEach(async () => {
      registry = await MemoryRegistry.start({ listsReferrers })
      client = clientFor()
      repository = repositoryOf(client, registry)
      subject = addImage(registry, NAME, { tag: '1' }).manifest
      tag = subject.digest.replace(':', '-')
    })
    afterEach(async () => {
      await client.close()
      await registry.close()
    })

    async function refer(artifactType: string, note = ''): Promise<Descriptor> {
      const config = registry.addBlob(NAME, Buffer.from('{}'), 'application/vnd.oci.empty.v1+json')
      const mediaType = MEDIA_TYPES.ociManifest
      const annotations = { note }
      const { platform: _, ...plain } = subject
      const manifest = { mediaType, artifactType, config, layers: [], subject: plain, annotations }
      const bytes = serializeManifest(manifest)
      const digest = await repository.putManifest(digestOf(bytes), { mediaType, bytes })
      return { mediaType, digest, size: bytes.length, artifactType, annotations }
    }

    it('are found, all of them and by type', async () => {
      const [signature, sbom] = [await refer(SIGNATURE), await refer(SBOM)]
      const all = await repository.referrers(subject.digest)
      assert.deepEqual(new Set(all.descriptors), new Set([signature, sbom]))
      assert.equal(all.tag, listsReferrers ? undefined : tag)
      const some = await repository.referrers(subject.digest, { artifactType: SBOM })
      assert.deepEqual(some.descriptors, [sbom])
      assert.equal(registry.tagsOf(NAME).includes(tag), !listsReferrers)
    })

    it('are found on as many pages as there are', async () => {
      const made: Descriptor[] = []
      for (let i = 0; i < 25; i++) made.push(await refer(SIGNATURE, String(i)))
      const { descriptors } = await repository.referrers(subject.digest, {
        artifactType: SIGNATURE,
      })
      assert.deepEqual(new Set(descriptors), new Set(made))
    })

    it('are all kept when several are pushed at the same time', async () => {
      const notes = ['a', 'b', 'c', 'd', 'e']
      const made = await Promise.all(notes.map((note) => refer(SIGNATURE, note)))
      const { descriptors } = await repository.referrers(subject.digest)
      assert.deepEqual(new Set(descriptors), new Set(made))
    })

    it('of a manifest without any are none', async () => {
      assert.deepEqual((await repository.referrers(subject.digest)).descriptors, [])
    })

    it('are off the list before they are deleted', async () => {
      const [first, second] = [await refer(SIGNATURE, 'a'), await refer(SIGNATURE, 'b')]
      await repository.deleteManifest(first.digest, { subject: subject.digest })
      const { descriptors } = await repository.referrers(subject.digest)
      assert.deepEqual(descriptors, [second])
      await assert.rejects(repository.resolve(first.digest), { code: 'NOT_FOUND' })
    })
  })
}

describe('lists of referrers under a tag', () => {
  it('are written again when another client wrote at the same time', async () => {
    await using registry = await MemoryRegistry.start()
    await using client = clientFor()
    const repository = repositoryOf(client, registry)
    const { manifest, config } = addImage(registry, NAME, { tag: '1' })
    assert.ok(config)
    const tag = manifest.digest.replace(':', '-')
    const others = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [manifest] }),
    )
    const overwrite = () =>
      registry.addManifest(NAME, tag, { mediaType: MEDIA_TYPES.ociIndex, bytes: others })
    // The other one reads before this client writes, and writes afterwards.
    registry.fail({
      method: 'GET',
      path: new RegExp(`manifests/${tag}`),
      after: 1,
      action: { kind: 'before', run: overwrite },
    })
    const empty = registry.addBlob(NAME, Buffer.from('{}'))
    const mediaType = MEDIA_TYPES.ociManifest
    const { platform: _, ...subject } = manifest
    const bytes = serializeManifest({ mediaType, config: empty, layers: [], subject })
    await repository.putManifest(digestOf(bytes), { mediaType, bytes })
    const list = registry.manifest(NAME, tag)
    assert.deepEqual(
      parseIndex(list?.bytes ?? Buffer.alloc(0)).manifests.map(({ digest }) => digest),
      [manifest.digest, digestOf(bytes)],
    )
  })

  it('leave alone what another tool has under the tag', async () => {
    await using registry = await MemoryRegistry.start()
    await using client = clientFor()
    const { manifest } = addImage(registry, NAME, { tag: '1' })
    const tag = manifest.digest.replace(':', '-')
    const { manifestBytes } = addImage(registry, NAME, { tag })
    await assert.rejects(repositoryOf(client, registry).referrers(manifest.digest), {
      code: 'REGISTRY_FAILED',
    })
    assert.deepEqual(registry.manifest(NAME, tag)?.bytes, manifestBytes)
  })
})
