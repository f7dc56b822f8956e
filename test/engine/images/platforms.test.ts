import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { build } from '#builder'
import { type JsonObject, parsePlatform } from '#core'
import { pullImage } from '#engine/images'
import { collect, ImageLab } from './support/image-lab.ts'

const [AMD, ARM, S390] = ['linux/amd64', 'linux/arm64', 'linux/s390x'].map(parsePlatform)

describe('images for several platforms', () => {
  let lab: ImageLab
  before(async () => {
    lab = await ImageLab.start()
    writeFileSync(lab.folder.file('Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
    const options = {
      context: lab.folder.path,
      root: lab.images.options.root,
      platform: ['linux/amd64', 'linux/arm64'],
    }
    const attestations = { provenance: { mode: 'min' }, sbom: { formats: ['spdx'] } } as const
    await build({ ...options, attestations, tags: ['several'] })
    const outputs = [{ type: 'registry' }] as const
    await build({ ...options, outputs, tags: [`${lab.registry.host}/several`] })
  })
  after(() => lab[Symbol.asyncDispose]())

  it('are one image with a manifest for each', async () => {
    const { images } = lab
    const listed = await images.list({ manifests: true }, 56)
    assert.equal(listed.length, 1)
    const summaries = listed[0]?.Manifests as readonly JsonObject[]
    assert.deepEqual(
      summaries.map(({ Kind, Available }) => [Kind, Available]),
      [
        ['image', true],
        ['image', true],
        ['attestation', true],
        ['attestation', true],
      ],
    )
    const inspected = await images.inspect({ text: 'several', manifests: true }, 48)
    assert.equal((inspected.Manifests as readonly unknown[]).length, 4)
    const ours = await images.inspect({ text: 'several' }, 49)
    const arm = await images.inspect({ text: 'several', platform: ARM }, 49)
    assert.deepEqual([ours.Architecture, arm.Architecture], ['amd64', 'arm64'])
    assert.notEqual(ours.Id, arm.Id)
    assert.deepEqual(await images.inspect({ text: String(arm.Id), platform: ARM }, 49), arm)
    assert.deepEqual(await images.inspect({ text: 'several', platform: AMD }, 49), ours)
  })

  it('are found for containers by platform, and kept for them', async () => {
    const { images, users } = lab
    const { image } = await images.resolve('several', 'linux/arm64')
    assert.equal(image.platform.architecture, 'arm64')
    await assert.rejects(images.resolve('several', 'linux/s390x'), { code: 'NOT_FOUND' })
    const { digest } = (await images.manifestDescriptor(image)) ?? {}
    assert.equal(digest, image.manifest)
    users.push({ id: 'c'.repeat(64), image: image.id, isRunning: true })
    await assert.rejects(images.remove('several', { force: false }), { code: 'CONFLICT' })
    const [listed] = await images.list({}, 51)
    assert.equal(listed?.Containers, 1)
    users.length = 0
  })

  it('have statements beside them', async () => {
    const { images } = lab
    const all = { platform: undefined, types: [], statement: false }
    const types = (await images.attestations('several', all)).map(
      ({ PredicateType }) => PredicateType,
    )
    assert.deepEqual(types, ['https://slsa.dev/provenance/v1', 'https://spdx.dev/Document'])
    const asked = { platform: ARM, types: ['https://spdx.dev/Document'], statement: true }
    const found = await images.attestations('several', asked)
    assert.equal(found.length, 1)
    const [spdx] = found.map(({ Statement }) => Statement)
    const { subject } = spdx as { subject: readonly { digest: JsonObject }[] }
    const { manifest } = (await images.resolve('several', 'linux/arm64')).image
    assert.equal(`sha256:${subject[0]?.digest.sha256}`, manifest)
    const missing = images.attestations('several', { ...all, platform: S390 })
    await assert.rejects(missing, { code: 'NOT_FOUND' })
  })

  it('are pulled one at a time', async () => {
    const { images, registry } = lab
    const image = `${registry.host}/several`
    for (const [platform, architecture] of [
      ['linux/arm64', 'arm64'],
      ['linux/amd64', 'amd64'],
    ]) {
      await collect(pullImage(images, { image, tag: 'latest', platform }))
      const { Architecture, RepoDigests } = await images.inspect({ text: image }, 56)
      assert.equal(Architecture, architecture)
      assert.equal((RepoDigests as readonly unknown[]).length, 1)
    }
    const messages = await collect(
      pullImage(images, { image, tag: 'latest', platform: 'linux/s390x' }),
    )
    const expected = 'no matching manifest for linux/s390x in the manifest list entries'
    assert.equal(messages.at(-1)?.error, expected)
  })
})
