import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { createGzip, gunzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import {
  type Bytes,
  digestOf,
  type ImageConfig,
  MEDIA_TYPES,
  parseDiffId,
  serializeImageConfig,
  serializeManifest,
} from '#core'
import { type PushedImage, pushImage, type RegistryClient, resolveImage } from '#registry-client'
import {
  type Registry,
  run,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { AMD64, blobOf, clientFor, pieces, readAll, someBytes } from './support.ts'

const TOOLS = ['/usr/bin/docker-registry', '/usr/bin/skopeo']
const MIB = 1024 * 1024

describe('docker-registry and skopeo', function () {
  this.timeout(60_000)
  let registry: Registry
  let directory: TemporaryDirectory
  let client: RegistryClient
  let layers: readonly Buffer[]
  let image: PushedImage

  before(async function () {
    if (!TOOLS.every((tool) => existsSync(tool))) return this.skip()
    registry = await startRegistry()
    directory = temporaryDirectory('skopeo')
    client = clientFor({ timing: undefined })
    layers = [
      await tarOf('etc/motd', Buffer.from('hello\n')),
      await tarOf('big', someBytes(3 * MIB)),
    ]
    image = await push('team/app', ['1.0', 'latest'])
  })
  after(async () => {
    await client?.close()
    directory?.[Symbol.dispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  /** The first layer has a known digest, the second is compressed while it is sent. */
  function push(name: string, tags: readonly string[], mountFrom?: string): Promise<PushedImage> {
    const [known = Buffer.alloc(0), streamed = Buffer.alloc(0)] = layers
    const config: ImageConfig = {
      platform: AMD64,
      config: { Cmd: ['/bin/sh'], Env: ['A=b'] },
      diffIds: layers.map((layer) => parseDiffId(digestOf(layer))),
      history: [{ created_by: 'one' }, { created_by: 'two' }],
    }
    return pushImage(client.repository({ registry: registry.host, repository: name }), {
      layers: [
        {
          kind: 'blob',
          id: '1',
          descriptor: blobOf(known),
          open: () => pieces(known),
          mountFrom,
        },
        {
          kind: 'stream',
          id: '2',
          mediaType: MEDIA_TYPES.ociLayerGzip,
          open: () => compressed(streamed),
        },
      ],
      config: { mediaType: MEDIA_TYPES.ociConfig, bytes: serializeImageConfig(config) },
      assemble: (descriptor, sent) => ({
        mediaType: MEDIA_TYPES.ociManifest,
        bytes: serializeManifest({
          mediaType: MEDIA_TYPES.ociManifest,
          config: descriptor,
          layers: sent,
        }),
      }),
      tags,
    })
  }

  async function skopeo(command: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run('skopeo', [command, ...args], {
      env: { HOME: directory.path, XDG_RUNTIME_DIR: directory.path },
    })
    return stdout
  }

  it('skopeo inspects what was pushed', async () => {
    for (const tag of ['1.0', 'latest']) {
      const name = `docker://${registry.host}/team/app:${tag}`
      const seen = JSON.parse(await skopeo('inspect', '--tls-verify=false', name))
      assert.equal(seen.Digest, image.manifest.digest)
      assert.deepEqual(
        seen.Layers,
        image.layers.map(({ digest }) => digest),
      )
      assert.equal(seen.Architecture, 'amd64')
      assert.deepEqual(seen.RepoTags.sort(), ['1.0', 'latest'])
    }
  })

  it('skopeo copies what was pushed, byte by byte', async () => {
    const layout = directory.file('copied')
    const source = `docker://${registry.host}/team/app:1.0`
    await skopeo('copy', '--preserve-digests', '--src-tls-verify=false', source, `oci:${layout}:x`)
    const blobs = join(layout, 'blobs', 'sha256')
    assert.equal(readdirSync(blobs).length, 4)
    const [first, second] = image.layers.map(({ digest }) =>
      readFileSync(join(blobs, digest.slice('sha256:'.length))),
    )
    assert.deepEqual(first, layers[0])
    assert.deepEqual(gunzipSync(second ?? Buffer.alloc(0)), layers[1])
  })

  it('what skopeo pushed is pulled, in both formats', async () => {
    const source = `docker://${registry.host}/team/app:1.0`
    for (const format of ['oci', 'v2s2']) {
      const tag = `docker://${registry.host}/team/copied:${format}`
      const tls = ['--src-tls-verify=false', '--dest-tls-verify=false']
      await skopeo('copy', ...tls, '--format', format, source, tag)
      const repository = client.repository({ registry: registry.host, repository: 'team/copied' })
      const { digest } = await repository.resolve(format)
      const pulled = await resolveImage(repository, format, { platform: AMD64 })
      assert.equal(pulled.manifestDescriptor.digest, digest)
      assert.equal(
        pulled.manifest.mediaType,
        format === 'oci' ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest,
      )
      assert.deepEqual(pulled.config.config.Env, ['A=b'])
      const contents = await Promise.all(
        pulled.manifest.layers.map(async (layer) => readAll(await repository.open(layer))),
      )
      // Docker's schema has no plain layers: skopeo compresses what is not.
      const plain = contents.map((bytes) =>
        bytes.readUInt16BE() === 0x1f8b ? gunzipSync(bytes) : bytes,
      )
      assert.deepEqual(plain, layers)
    }
  })

  it('a second push sends only what has no digest yet', async () => {
    const log = (): readonly string[] => readFileSync(registry.log, 'utf8').split('\n')
    const before = log().length
    const again = await push('team/app', ['again'])
    assert.equal(again.manifest.digest, image.manifest.digest)
    const patches = log()
      .slice(before)
      .filter((line) => line.includes('"PATCH '))
    assert.equal(patches.length, 1)
  })

  it('blobs are mounted from another repository', async () => {
    await push('team/mounted', ['1'], 'team/app')
    const seen = JSON.parse(
      await skopeo('inspect', '--tls-verify=false', `docker://${registry.host}/team/mounted:1`),
    )
    assert.equal(seen.Digest, image.manifest.digest)
  })

  it('reports what is not there', async () => {
    const repository = client.repository({ registry: registry.host, repository: 'team/none' })
    await assert.rejects(repository.fetchManifest('1'), {
      code: 'NOT_FOUND',
      registryCodes: ['MANIFEST_UNKNOWN'],
    })
    assert.equal(await repository.has(blobOf(Buffer.from('x'))), false)
    await assert.rejects(repository.open(blobOf(Buffer.from('x'))), { code: 'NOT_FOUND' })
  })

  it('gets a DELETE when an upload is cancelled', async () => {
    const repository = client.repository({ registry: registry.host, repository: 'team/cancel' })
    const controller = new AbortController()
    const endless = async function* (): Bytes {
      for (let i = 0; ; i++) {
        yield someBytes(64 * 1024, i)
        if (i === 20) controller.abort()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const { signal } = controller
    await assert.rejects(repository.upload(MEDIA_TYPES.ociLayer, endless, { signal }), {
      code: 'CANCELLED',
    })
    // This registry refuses to cancel what has bytes already; it purges them by itself, later.
    const log = readFileSync(registry.log, 'utf8')
    assert.match(log, /"DELETE \/v2\/team\/cancel\/blobs\/uploads\//)
    assert.doesNotMatch(log, /"PUT \/v2\/team\/cancel\//)
  })
})

async function tarOf(name: string, content: Buffer): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name, mtime: new Date(0) }, content)
  archive.finalize()
  return readAll(archive.pipe(new PassThrough()))
}

function compressed(bytes: Buffer): Bytes {
  const gzip = createGzip({ level: 1 })
  gzip.end(bytes)
  return gzip
}
