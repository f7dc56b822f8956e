import assert from 'node:assert/strict'
import { digestOf, MEDIA_TYPES, type Platform } from '#core'
import { resolveImage } from '#registry-client'
import { useRegistry } from '../fixture.ts'
import { AMD64, ARM64, addImage, addIndex, blobOf } from '../support.ts'

const NAME = 'team/app'

describe('pulling images', () => {
  const fixture = useRegistry({ timeouts: { idle: 300, headers: 400 } })

  describe('resolveImage', () => {
    it('reads a single manifest and its config, and no layer', async () => {
      const { config, manifest } = addImage(fixture.registry, NAME, { tag: '1' })
      const image = await resolveImage(fixture.repository, '1', { platform: AMD64 })
      assert.equal(image.index, undefined)
      assert.equal(image.manifestDescriptor.digest, manifest.digest)
      assert.deepEqual(image.config, config)
      assert.equal(digestOf(image.configBytes), image.manifest.config.digest)
      assert.equal(fixture.registry.requests.length, 2)
    })

    it('chooses the platform out of an index', async () => {
      const amd64 = addImage(fixture.registry, NAME, { platform: AMD64 })
      const arm64 = addImage(fixture.registry, NAME, { platform: ARM64 })
      const index = addIndex(fixture.registry, { name: NAME, tag: 'multi' }, [
        {
          ...attestationFor(amd64.manifest.digest),
          ...blobOf(Buffer.from('x'), MEDIA_TYPES.ociManifest),
        },
        amd64.manifest,
        arm64.manifest,
      ])
      const image = await resolveImage(fixture.repository, 'multi', { platform: ARM64 })
      assert.equal(image.index?.digest, index.digest)
      assert.deepEqual(image.manifestDescriptor, arm64.manifest)
      assert.equal(image.config.platform.architecture, 'arm64')
    })

    it('takes the nearest arm variant', async () => {
      const variants = ['v5', 'v7', 'v6'].map(
        (variant) =>
          addImage(fixture.registry, NAME, {
            platform: { os: 'linux', architecture: 'arm', variant },
          }).manifest,
      )
      addIndex(fixture.registry, { name: NAME, tag: 'arm' }, variants)
      const chosen = async (variant: string): Promise<Platform | undefined> => {
        const platform = { os: 'linux', architecture: 'arm', variant }
        const image = await resolveImage(fixture.repository, 'arm', { platform })
        return image.manifestDescriptor.platform
      }
      assert.equal((await chosen('v7'))?.variant, 'v7')
      assert.equal((await chosen('v8'))?.variant, 'v7')
      assert.equal((await chosen('v6'))?.variant, 'v6')
    })

    it('looks into images that the index names no platform of, when none fits', async () => {
      const [arm64, amd64, listed] = [ARM64, AMD64, { os: 'linux', architecture: 's390x' }].map(
        (platform) => addImage(fixture.registry, NAME, { platform }).manifest,
      )
      assert.ok(arm64 && amd64 && listed)
      const { platform: _one, ...first } = arm64
      const { platform: _other, ...second } = amd64
      addIndex(fixture.registry, { name: NAME, tag: 'some' }, [listed, first, second])
      const chosen = async (platform: Platform) =>
        (await resolveImage(fixture.repository, 'some', { platform })).manifestDescriptor.digest
      assert.equal(await chosen(AMD64), amd64.digest)
      assert.equal(await chosen(ARM64), arm64.digest)
      await assert.rejects(chosen({ os: 'linux', architecture: 'riscv64' }), {
        code: 'PLATFORM_MISMATCH',
      })
    })

    it('lists the platforms that are offered when none fits', async () => {
      const { manifest } = addImage(fixture.registry, NAME, { platform: ARM64 })
      addIndex(fixture.registry, { name: NAME, tag: 'multi' }, [manifest])
      await assert.rejects(
        resolveImage(fixture.repository, 'multi', { platform: AMD64, name: 'app:multi' }),
        {
          code: 'PLATFORM_MISMATCH',
          message:
            'resolve app:multi for linux/amd64: no match for platform in manifest: not found',
          hint: 'it is offered for linux/arm64: choose one with --platform',
        },
      )
    })

    it('refuses a manifest of another size than in its index', async () => {
      const { manifest } = addImage(fixture.registry, NAME)
      addIndex(fixture.registry, { name: NAME, tag: 'multi' }, [
        { ...manifest, size: manifest.size + 1 },
      ])
      await assert.rejects(resolveImage(fixture.repository, 'multi', { platform: AMD64 }), {
        code: 'SIZE_MISMATCH',
      })
    })

    it('refuses an image whose layers and diffIDs differ in number', async () => {
      const { manifestBytes } = addImage(fixture.registry, NAME)
      const document = JSON.parse(manifestBytes.toString())
      const bytes = Buffer.from(JSON.stringify({ ...document, layers: [] }))
      fixture.registry.addManifest(NAME, 'bad', { mediaType: MEDIA_TYPES.ociManifest, bytes })
      await assert.rejects(resolveImage(fixture.repository, 'bad', { platform: AMD64 }), {
        code: 'CONFIG_INVALID',
      })
    })

    it('never requests a config that is too large', async () => {
      const bytes = Buffer.from(manifestWithSize('5000000'))
      fixture.registry.addManifest(NAME, 'bad', { mediaType: MEDIA_TYPES.ociManifest, bytes })
      await assert.rejects(resolveImage(fixture.repository, 'bad', { platform: AMD64 }), {
        code: 'CONFIG_INVALID',
      })
      assert.equal(fixture.registry.requests.length, 1)
    })
  })
})

function manifestWithSize(size: string): string {
  const config = `{"mediaType":"${MEDIA_TYPES.ociConfig}","digest":"sha256:${'0'.repeat(64)}","size":${size}}`
  return `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociManifest}","config":${config},"layers":[]}`
}

function attestationFor(digest: string) {
  return {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': digest,
    },
  }
}
