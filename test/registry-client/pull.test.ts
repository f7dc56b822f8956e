import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { digestOf, MEDIA_TYPES, type Platform, TsbuildError } from '#core'
import { type RegistryClient, RegistryError, type Repository, resolveImage } from '#registry-client'
import { MemoryRegistry } from '../support/registry/index.ts'
import {
  AMD64,
  ARM64,
  addImage,
  addIndex,
  blobOf,
  clientFor,
  readAll,
  repositoryOf,
  someBytes,
  TestTiming,
} from './support.ts'

const NAME = 'team/app'

describe('pulling', () => {
  let registry: MemoryRegistry
  let client: RegistryClient
  let repository: Repository
  let timing: TestTiming

  beforeEach(async () => {
    registry = await MemoryRegistry.start()
    timing = new TestTiming()
    client = clientFor({ timing, timeouts: { idle: 300, headers: 400 } })
    repository = repositoryOf(client, registry)
  })
  afterEach(async () => {
    await client.close()
    await registry.close()
  })

  describe('resolve', () => {
    it('asks with HEAD only', async () => {
      const { manifest } = addImage(registry, NAME, { tag: '1' })
      const { mediaType, digest, size } = manifest
      assert.deepEqual(await repository.resolve('1'), { mediaType, digest, size })
      assert.deepEqual(registry.log, [`HEAD /v2/${NAME}/manifests/1`])
      assert.match(registry.requests[0]?.headers.accept ?? '', /oci\.image\.index.*manifest\.v2/)
    })

    const poor: readonly (readonly [string, Record<string, string>])[] = [
      ['no digest', { 'docker-content-digest': '' }],
      ['a digest of another kind', { 'docker-content-digest': `md5:${'0'.repeat(32)}` }],
      ['an unknown type', { 'content-type': 'text/plain' }],
    ]
    for (const [what, headers] of poor) {
      it(`falls back to GET when HEAD gives ${what}`, async () => {
        const { manifest } = addImage(registry, NAME, { tag: '1' })
        registry.fail({
          method: 'HEAD',
          action: {
            kind: 'edit',
            edit: (reply) => ({ ...reply, headers: { ...reply.headers, ...headers } }),
          },
        })
        assert.equal((await repository.resolve('1')).digest, manifest.digest)
        assert.equal(registry.requests.length, 2)
      })
    }

    it('falls back to GET when HEAD is not allowed', async () => {
      const { manifest } = addImage(registry, NAME, { tag: '1' })
      registry.fail({ method: 'HEAD', action: { kind: 'reply', reply: { status: 405 } } })
      assert.equal((await repository.resolve('1')).digest, manifest.digest)
    })

    it('says what was not found, where, and what to do', async () => {
      await assert.rejects(repository.resolve('nope'), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.equal(error.code, 'NOT_FOUND')
        assert.equal(error.status, 404)
        assert.match(error.message, new RegExp(`^resolve ${registry.host}/${NAME}:nope: not found`))
        assert.match(error.hint ?? '', new RegExp(`tsbuild login ${registry.host}`))
        return true
      })
    })
  })

  describe('fetchManifest', () => {
    it('gives the very bytes', async () => {
      const { manifest, manifestBytes } = addImage(registry, NAME, { tag: '1' })
      const fetched = await repository.fetchManifest('1')
      assert.deepEqual(fetched.bytes, manifestBytes)
      assert.equal(fetched.descriptor.digest, manifest.digest)
      const again = await repository.fetchManifest(manifest.digest)
      assert.deepEqual(again, fetched)
    })

    it('refuses bytes that do not have the digest, asked for or promised', async () => {
      const { manifest } = addImage(registry, NAME, { tag: '1' })
      const edit = (reply: { status: number; body?: Buffer | string }) => ({
        ...reply,
        body: `${String(reply.body)} `,
        headers: {
          'content-type': MEDIA_TYPES.ociManifest,
          'docker-content-digest': manifest.digest,
        },
      })
      registry.fail({ times: 2, action: { kind: 'edit', edit } })
      await assert.rejects(repository.fetchManifest(manifest.digest), { code: 'DIGEST_MISMATCH' })
      await assert.rejects(repository.fetchManifest('1'), { code: 'DIGEST_MISMATCH' })
    })

    it('refuses an image that is sent as an index', async () => {
      const { manifestBytes } = addImage(registry, NAME)
      registry.addManifest(NAME, 'odd', { mediaType: MEDIA_TYPES.ociIndex, bytes: manifestBytes })
      await assert.rejects(repository.fetchManifest('odd'), { code: 'MANIFEST_INVALID' })
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
        registry.addManifest(NAME, 'bad', { mediaType: MEDIA_TYPES.ociManifest, bytes })
        await assert.rejects(repository.fetchManifest('bad'), (error) => {
          assert.ok(error instanceof TsbuildError)
          assert.equal(error.code, 'MANIFEST_INVALID')
          assert.match(error.message, /^fetch manifest 127\.0\.0\.1:\d+\/team\/app:bad: /)
          return true
        })
      })
    }

    it('stops reading after 4 MiB', async () => {
      const bytes = Buffer.alloc(5 * 1024 * 1024, 32)
      registry.addManifest(NAME, 'big', { mediaType: MEDIA_TYPES.ociManifest, bytes })
      await assert.rejects(repository.fetchManifest('big'), { code: 'REGISTRY_FAILED' })
      assert.equal(registry.requests.length, 1)
    })

    it('says that schema 1 is too old', async () => {
      const mediaType = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
      registry.addManifest(NAME, 'old', { mediaType, bytes: Buffer.from('{"schemaVersion":1}') })
      await assert.rejects(repository.fetchManifest('old'), /schema 1/)
    })
  })

  describe('open', () => {
    const bytes = someBytes(300_000)

    it('streams a blob', async () => {
      const blob = registry.addBlob(NAME, bytes)
      assert.deepEqual(await readAll(await repository.open(blob)), bytes)
    })

    it('reads an empty blob', async () => {
      const blob = registry.addBlob(NAME, Buffer.alloc(0))
      assert.equal((await readAll(await repository.open(blob))).length, 0)
    })

    for (const how of ['end', 'reset'] as const) {
      it(`goes on with Range after the connection ends by ${how}`, async () => {
        const blob = registry.addBlob(NAME, bytes)
        registry.fail({ action: { kind: 'cut', afterBytes: 100_000, how } })
        registry.fail({ action: { kind: 'cut', afterBytes: 0, how } })
        assert.deepEqual(await readAll(await repository.open(blob)), bytes)
        const ranges = registry.requests.map(({ headers }) => headers.range)
        assert.equal(ranges[0], undefined)
        assert.match(ranges[1] ?? '', /^bytes=\d+-$/)
        assert.equal(registry.requests.length, 3)
      })
    }

    it('goes on after a stall', async () => {
      const blob = registry.addBlob(NAME, bytes)
      registry.fail({ action: { kind: 'stall', afterBytes: 100_000 } })
      assert.deepEqual(await readAll(await repository.open(blob)), bytes)
      assert.equal(registry.requests.length, 2)
    })

    it('asks again when no answer comes', async () => {
      const blob = registry.addBlob(NAME, bytes)
      registry.fail({ action: { kind: 'stall' } })
      assert.deepEqual(await readAll(await repository.open(blob)), bytes)
    })

    it('copes with a server that ignores Range', async () => {
      const blob = registry.addBlob(NAME, bytes)
      registry.fail({ action: { kind: 'cut', afterBytes: 100_000, how: 'reset' } })
      const headers = { 'content-length': String(bytes.length) }
      registry.fail({
        action: { kind: 'edit', edit: () => ({ status: 200, headers, body: bytes }) },
      })
      assert.deepEqual(await readAll(await repository.open(blob)), bytes)
    })

    it('gives up on a connection that breaks again and again', async () => {
      const blob = registry.addBlob(NAME, bytes)
      registry.fail({ times: 100, action: { kind: 'cut', afterBytes: 1, how: 'reset' } })
      await assert.rejects(async () => readAll(await repository.open(blob)), {
        code: 'REGISTRY_UNREACHABLE',
      })
      assert.equal(registry.requests.length, 6)
    })

    it('takes a body without length that ends early for a lost connection', async () => {
      const requests: string[] = []
      const server = createServer((socket) => {
        socket.on('data', (data) => {
          requests.push(data.toString())
          const start = Number(/range: bytes=(\d+)-/.exec(data.toString())?.[1] ?? 0)
          const range = start === 0 ? '' : `Content-Range: bytes ${start}-/*\r\n`
          socket.write(`HTTP/1.0 ${start === 0 ? 200 : 206} OK\r\n${range}\r\n`)
          socket.end(bytes.subarray(start, start + 100_000))
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const old = client.repository({ registry: `127.0.0.1:${port}`, repository: NAME })
      try {
        assert.deepEqual(await readAll(await old.open(blobOf(bytes))), bytes)
        assert.equal(requests.length, 3)
      } finally {
        server.close()
      }
    })

    it('refuses other bytes', async () => {
      const blob = registry.addBlob(NAME, bytes)
      const edit = (reply: { status: number }) => ({ ...reply, body: someBytes(bytes.length, 7) })
      registry.fail({ action: { kind: 'edit', edit } })
      await assert.rejects(async () => readAll(await repository.open(blob)), {
        code: 'DIGEST_MISMATCH',
      })
    })

    it('refuses another length before reading', async () => {
      const blob = registry.addBlob(NAME, bytes)
      await assert.rejects(repository.open({ ...blob, size: blob.size + 1 }), {
        code: 'SIZE_MISMATCH',
      })
    })

    it('refuses a content encoding that nobody asked for', async () => {
      const blob = registry.addBlob(NAME, bytes)
      registry.fail({
        action: {
          kind: 'edit',
          edit: (reply) => ({
            ...reply,
            headers: { ...reply.headers, 'content-encoding': 'gzip' },
          }),
        },
      })
      await assert.rejects(repository.open(blob), /content encoding/)
      assert.equal(registry.requests[0]?.headers['accept-encoding'], 'identity')
    })

    it('says NOT_FOUND before any byte', async () => {
      await assert.rejects(repository.open(blobOf(bytes)), { code: 'NOT_FOUND' })
    })

    it('ends with CANCELLED when aborted', async () => {
      const blob = registry.addBlob(NAME, bytes)
      registry.fail({ action: { kind: 'stall', afterBytes: 10 } })
      const controller = new AbortController()
      const stream = await repository.open(blob, { signal: controller.signal })
      setTimeout(() => controller.abort(), 20)
      await assert.rejects(readAll(stream), { code: 'CANCELLED' })
    })
  })

  describe('resolveImage', () => {
    it('reads a single manifest and its config, and no layer', async () => {
      const { config, manifest } = addImage(registry, NAME, { tag: '1' })
      const image = await resolveImage(repository, '1', { platform: AMD64 })
      assert.equal(image.index, undefined)
      assert.equal(image.manifestDescriptor.digest, manifest.digest)
      assert.deepEqual(image.config, config)
      assert.equal(digestOf(image.configBytes), image.manifest.config.digest)
      assert.equal(registry.requests.length, 2)
    })

    it('chooses the platform out of an index', async () => {
      const amd64 = addImage(registry, NAME, { platform: AMD64 })
      const arm64 = addImage(registry, NAME, { platform: ARM64 })
      const index = addIndex(registry, { name: NAME, tag: 'multi' }, [
        {
          ...attestationFor(amd64.manifest.digest),
          ...blobOf(Buffer.from('x'), MEDIA_TYPES.ociManifest),
        },
        amd64.manifest,
        arm64.manifest,
      ])
      const image = await resolveImage(repository, 'multi', { platform: ARM64 })
      assert.equal(image.index?.digest, index.digest)
      assert.deepEqual(image.manifestDescriptor, arm64.manifest)
      assert.equal(image.config.platform.architecture, 'arm64')
    })

    it('takes the nearest arm variant', async () => {
      const variants = ['v5', 'v7', 'v6'].map(
        (variant) =>
          addImage(registry, NAME, { platform: { os: 'linux', architecture: 'arm', variant } })
            .manifest,
      )
      addIndex(registry, { name: NAME, tag: 'arm' }, variants)
      const chosen = async (variant: string): Promise<Platform | undefined> => {
        const platform = { os: 'linux', architecture: 'arm', variant }
        const image = await resolveImage(repository, 'arm', { platform })
        return image.manifestDescriptor.platform
      }
      assert.equal((await chosen('v7'))?.variant, 'v7')
      assert.equal((await chosen('v8'))?.variant, 'v7')
      assert.equal((await chosen('v6'))?.variant, 'v6')
    })

    it('lists the platforms that are offered when none fits', async () => {
      const { manifest } = addImage(registry, NAME, { platform: ARM64 })
      addIndex(registry, { name: NAME, tag: 'multi' }, [manifest])
      await assert.rejects(
        resolveImage(repository, 'multi', { platform: AMD64, name: 'app:multi' }),
        {
          code: 'PLATFORM_MISMATCH',
          message:
            'resolve app:multi for linux/amd64: no match for platform in manifest: not found',
          hint: 'it is offered for linux/arm64: choose one with --platform',
        },
      )
    })

    it('refuses a manifest of another size than its index says', async () => {
      const { manifest } = addImage(registry, NAME)
      addIndex(registry, { name: NAME, tag: 'multi' }, [{ ...manifest, size: manifest.size + 1 }])
      await assert.rejects(resolveImage(repository, 'multi', { platform: AMD64 }), {
        code: 'SIZE_MISMATCH',
      })
    })

    it('refuses an image whose layers and diffIDs differ in number', async () => {
      const { manifestBytes } = addImage(registry, NAME)
      const document = JSON.parse(manifestBytes.toString())
      const bytes = Buffer.from(JSON.stringify({ ...document, layers: [] }))
      registry.addManifest(NAME, 'bad', { mediaType: MEDIA_TYPES.ociManifest, bytes })
      await assert.rejects(resolveImage(repository, 'bad', { platform: AMD64 }), {
        code: 'CONFIG_INVALID',
      })
    })

    it('never asks for a config that is too large', async () => {
      const bytes = Buffer.from(manifestWithSize('5000000'))
      registry.addManifest(NAME, 'bad', { mediaType: MEDIA_TYPES.ociManifest, bytes })
      await assert.rejects(resolveImage(repository, 'bad', { platform: AMD64 }), {
        code: 'CONFIG_INVALID',
      })
      assert.equal(registry.requests.length, 1)
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
