import assert from 'node:assert/strict'
import { type Descriptor, digestOf, MEDIA_TYPES, serializeManifest, TsbuildError } from '#core'
import { RegistryError } from '#registry-client'
import { useRegistry } from '../fixture.ts'
import { addImage, blobOf } from '../support.ts'

const NAME = 'team/app'
/** How a registry answers to a manifest with a blob that it does not have. */
const UNKNOWN_BLOB = {
  kind: 'reply',
  reply: { status: 400, body: JSON.stringify({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] }) },
} as const

describe('manifests', () => {
  const fixture = useRegistry({ timeouts: { idle: 300, headers: 400 } })

  describe('resolve', () => {
    it('requests with HEAD only', async () => {
      const { manifest } = addImage(fixture.registry, NAME, { tag: '1' })
      const { mediaType, digest, size } = manifest
      assert.deepEqual(await fixture.repository.resolve('1'), { mediaType, digest, size })
      assert.deepEqual(fixture.registry.log, [`HEAD /v2/${NAME}/manifests/1`])
      assert.match(
        fixture.registry.requests[0]?.headers.accept ?? '',
        /oci\.image\.index.*manifest\.v2/,
      )
    })

    const poor: readonly (readonly [string, Record<string, string>])[] = [
      ['no digest', { 'docker-content-digest': '' }],
      ['a digest of another kind', { 'docker-content-digest': `md5:${'0'.repeat(32)}` }],
      ['an unknown type', { 'content-type': 'text/plain' }],
    ]
    for (const [what, headers] of poor) {
      it(`falls back to GET when HEAD gives ${what}`, async () => {
        const { manifest } = addImage(fixture.registry, NAME, { tag: '1' })
        fixture.registry.fail({
          method: 'HEAD',
          action: {
            kind: 'edit',
            edit: (reply) => ({ ...reply, headers: { ...reply.headers, ...headers } }),
          },
        })
        assert.equal((await fixture.repository.resolve('1')).digest, manifest.digest)
        assert.equal(fixture.registry.requests.length, 2)
      })
    }

    it('falls back to GET when HEAD is not allowed', async () => {
      const { manifest } = addImage(fixture.registry, NAME, { tag: '1' })
      fixture.registry.fail({ method: 'HEAD', action: { kind: 'reply', reply: { status: 405 } } })
      assert.equal((await fixture.repository.resolve('1')).digest, manifest.digest)
    })

    it('reports what was not found, where, and what to do', async () => {
      await assert.rejects(fixture.repository.resolve('nope'), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.equal(error.code, 'NOT_FOUND')
        assert.equal(error.status, 404)
        assert.match(
          error.message,
          new RegExp(`^resolve ${fixture.registry.host}/${NAME}:nope: not found`),
        )
        assert.match(error.hint ?? '', new RegExp(`tsbuild login ${fixture.registry.host}`))
        return true
      })
    })
  })

  describe('fetchManifest', () => {
    it('gives the very bytes', async () => {
      const { manifest, manifestBytes } = addImage(fixture.registry, NAME, { tag: '1' })
      const fetched = await fixture.repository.fetchManifest('1')
      assert.deepEqual(fetched.bytes, manifestBytes)
      assert.equal(fetched.descriptor.digest, manifest.digest)
      const again = await fixture.repository.fetchManifest(manifest.digest)
      assert.deepEqual(again, fetched)
    })

    it('refuses bytes that do not have the digest, asked for or promised', async () => {
      const { manifest } = addImage(fixture.registry, NAME, { tag: '1' })
      const edit = (reply: { status: number; body?: Buffer | string }) => ({
        ...reply,
        body: `${String(reply.body)} `,
        headers: {
          'content-type': MEDIA_TYPES.ociManifest,
          'docker-content-digest': manifest.digest,
        },
      })
      fixture.registry.fail({ times: 4, action: { kind: 'edit', edit } })
      await assert.rejects(fixture.repository.fetchManifest(manifest.digest), {
        code: 'DIGEST_MISMATCH',
      })
      await assert.rejects(fixture.repository.fetchManifest('1'), { code: 'DIGEST_MISMATCH' })
      fixture.registry.fail({ action: { kind: 'edit', edit } })
      const { descriptor } = await fixture.repository.fetchManifest('1')
      assert.equal(descriptor.digest, manifest.digest)
      assert.equal(fixture.registry.requests.length, 6)
    })

    it('refuses an image that is sent as an index', async () => {
      const { manifestBytes } = addImage(fixture.registry, NAME)
      fixture.registry.addManifest(NAME, 'odd', {
        mediaType: MEDIA_TYPES.ociIndex,
        bytes: manifestBytes,
      })
      await assert.rejects(fixture.repository.fetchManifest('odd'), { code: 'MANIFEST_INVALID' })
    })

    const documents: readonly (readonly [string, string])[] = [
      ['both kinds at once', '{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}'],
      ['a key that Go reads and JavaScript does not', '{"schemaVersion":2,"Layers":[]}'],
      ['a negative size', manifestWithSize('-1')],
      ['a fractional size', manifestWithSize('1.5')],
      ['an endless size', manifestWithSize('1e400')],
      ['a size that is text', manifestWithSize('"12"')],
      ['deep nesting', `${'['.repeat(100_000)}`],
      ['no JSON', '<html>'],
      ['nothing', ''],
    ]
    for (const [what, text] of documents) {
      it(`refuses a manifest with ${what}`, async () => {
        const bytes = Buffer.from(text)
        fixture.registry.addManifest(NAME, 'bad', { mediaType: MEDIA_TYPES.ociManifest, bytes })
        await assert.rejects(fixture.repository.fetchManifest('bad'), (error) => {
          assert.ok(error instanceof TsbuildError)
          assert.equal(error.code, 'MANIFEST_INVALID')
          assert.match(error.message, /^fetch manifest 127\.0\.0\.1:\d+\/team\/app:bad: /)
          return true
        })
      })
    }

    it('stops reading after 4 MiB', async () => {
      const bytes = Buffer.alloc(5 * 1024 * 1024, 32)
      fixture.registry.addManifest(NAME, 'big', { mediaType: MEDIA_TYPES.ociManifest, bytes })
      await assert.rejects(fixture.repository.fetchManifest('big'), { code: 'REGISTRY_FAILED' })
      assert.equal(fixture.registry.requests.length, 1)
    })

    it('reports that schema 1 is too old', async () => {
      const mediaType = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
      fixture.registry.addManifest(NAME, 'old', {
        mediaType,
        bytes: Buffer.from('{"schemaVersion":1}'),
      })
      await assert.rejects(fixture.repository.fetchManifest('old'), /schema 1/)
    })
  })

  describe('putManifest', () => {
    it('is repeated until it is stored', async () => {
      const bytes = manifestFor([])
      fixture.registry.addBlob(NAME, CONFIG)
      fixture.registry.fail({ times: 3, action: { kind: 'reply', reply: { status: 502 } } })
      fixture.registry.fail({ action: { kind: 'reset' } })
      const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes }
      assert.equal(await fixture.repository.putManifest('1', manifest), digestOf(bytes))
      assert.deepEqual(fixture.registry.manifest(NAME, '1')?.bytes, bytes)
      assert.equal(fixture.registry.requests.length, 5)
    })

    it('is sent again while the registry does not know a blob that was pushed twice', async () => {
      const bytes = manifestFor([])
      fixture.registry.fail({ method: 'PUT', times: 3, action: UNKNOWN_BLOB })
      const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes }
      fixture.registry.addBlob(NAME, CONFIG)
      assert.equal(await fixture.repository.putManifest('1', manifest), digestOf(bytes))
      assert.equal(fixture.registry.requests.length, 4)
    })

    it('ends when it is cancelled before it is sent again', async () => {
      const stop = new AbortController()
      fixture.registry.fail({ method: 'PUT', action: UNKNOWN_BLOB })
      fixture.timing.sleep = async (_, signal) => {
        stop.abort()
        signal?.throwIfAborted()
      }
      const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes: manifestFor([]) }
      const pushing = fixture.repository.putManifest('1', manifest, { signal: stop.signal })
      await assert.rejects(pushing, { code: 'CANCELLED' })
      assert.equal(fixture.registry.requests.length, 1)
    })

    it('reports why a registry refuses it', async () => {
      const manifest = {
        mediaType: MEDIA_TYPES.ociManifest,
        bytes: manifestFor([blobOf(Buffer.from('missing'))]),
      }
      await assert.rejects(fixture.repository.putManifest('1', manifest), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.deepEqual(error.registryCodes, ['MANIFEST_BLOB_UNKNOWN'])
        return true
      })
    })
  })
})

function manifestWithSize(size: string): string {
  const config = `{"mediaType":"${MEDIA_TYPES.ociConfig}","digest":"sha256:${'0'.repeat(64)}","size":${size}}`
  return `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociManifest}","config":${config},"layers":[]}`
}

const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}')

function manifestFor(layers: readonly Descriptor[]): Buffer {
  const config = blobOf(CONFIG, MEDIA_TYPES.ociConfig)
  return serializeManifest({ mediaType: MEDIA_TYPES.ociManifest, config, layers })
}
