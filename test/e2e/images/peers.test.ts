import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import {
  type Dockerd,
  type Registry,
  run,
  startBusyboxRegistry,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild } from '../support/tsbuild.ts'

/** How an image is pushed. Debian's docker and umoci do not read zstd. */
const FORMS: Readonly<Record<string, string>> = {
  gzip: 'type=registry',
  docker: 'type=registry,oci-mediatypes=false',
  zstd: 'type=registry,compression=zstd',
}

describe('images between tsbuild and other programs', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  let env: Readonly<Record<string, string>>
  before(async () => {
    directory = temporaryDirectory('peers')
    registry = await startBusyboxRegistry()
    dockerd = await startDockerd()
    const storage = directory.file('storage.conf')
    const [graph, state] = [directory.file('graph'), directory.file('run')]
    const lines = ['[storage]', 'driver = "vfs"', `graphroot = "${graph}"`, `runroot = "${state}"`]
    writeFileSync(storage, lines.join('\n'))
    writeFileSync(directory.file('policy'), '{"default":[{"type":"insecureAcceptAnything"}]}')
    env = { CONTAINERS_STORAGE_CONF: storage, HOME: directory.path }
    const context = writeContext(directory.file('context'), {
      Dockerfile: `FROM ${registry.host}/busybox\nCOPY note /note\nRUN rm /bin/vi\n`,
      note: 'a note\n',
    })
    for (const [form, output] of Object.entries(FORMS)) {
      const start = { root: directory.file('store') }
      const pushed = output.includes('=zstd') ? `${output},force-compression=true` : output
      await mustBuild(['-q', '-t', image(form), '-o', pushed, context], start)
    }
  })
  after(async () => {
    await dockerd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const image = (tag: string) => `${registry.host}/app:${tag}`
  const insecure = ['--tls-verify=false']
  const policy = () => ['--signature-policy', directory.file('policy')]
  const skopeo = (...args: readonly string[]) =>
    run('skopeo', ['--insecure-policy', 'copy', '-q', ...args])

  for (const [program, forms] of [
    ['podman', ['gzip', 'zstd']],
    ['buildah', ['docker']],
  ] as const) {
    it(`${program} pulls ${forms.join(' and ')}, and tsbuild builds on what it pushes`, async () => {
      for (const form of forms) {
        await run(program, ['pull', '-q', ...policy(), ...insecure, image(form)], { env })
        const pushed = image(`${program}-${form}`)
        const words = ['push', '-q', ...policy(), ...insecure, image(form), pushed]
        await run(program, words, { env })
        await builds(pushed)
      }
    })
  }

  it('docker pulls its own form, and tsbuild builds on what it pushes', async () => {
    await dockerd.docker(['pull', '-q', image('docker')])
    await dockerd.docker(['tag', image('docker'), image('by-docker')])
    await dockerd.docker(['push', '-q', image('by-docker')])
    await builds(image('by-docker'))
  })

  it('umoci unpacks what skopeo copies, and tsbuild builds on layers that skopeo packs with zstd', async () => {
    const layout = `oci:${directory.file('layout')}`
    await skopeo('--src-tls-verify=false', `docker://${image('gzip')}`, `${layout}:app`)
    const bundle = directory.file('bundle')
    await run('umoci', ['unpack', '--image', `${directory.file('layout')}:app`, bundle])
    assert.equal(readFileSync(`${bundle}/rootfs/note`, 'utf8'), 'a note\n')
    const packed = ['--dest-tls-verify=false', '--dest-compress-format', 'zstd', '--dest-compress']
    await skopeo(...packed, `${layout}:app`, `docker://${image('by-skopeo')}`)
    await builds(image('by-skopeo'))
  })

  it('tsbuild builds on gzip of several members, in an index with what is said of the image', async () => {
    const layout = directory.file('members')
    mkdirSync(`${layout}/blobs/sha256`, { recursive: true })
    const put = (mediaType: string, bytes: Buffer): object => {
      const hex = createHash('sha256').update(bytes).digest('hex')
      writeFileSync(`${layout}/blobs/sha256/${hex}`, bytes)
      return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
    }
    const document = (mediaType: string, fields: object): object =>
      put(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields })))
    const tar = await tarOf(directory.file('members-root'))
    const half = Math.floor(tar.length / 2)
    const members = Buffer.concat(
      [tar.subarray(0, half), tar.subarray(half)].map((one) => gzipSync(one)),
    )
    const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`
    const platform = { os: 'linux', architecture: 'amd64' }
    const config = { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [diffId] } }
    const [manifest, index] = ['manifest', 'index'].map((kind) => `${OCI}.${kind}.v1+json`)
    const described = document(manifest ?? '', {
      config: put(`${OCI}.config.v1+json`, Buffer.from(JSON.stringify(config))),
      layers: [put(`${OCI}.layer.v1.tar+gzip`, members)],
    })
    const about = document(manifest ?? '', {
      config: put('application/vnd.oci.empty.v1+json', Buffer.from('{}')),
      layers: [put('application/vnd.in-toto+json', Buffer.from('{"_type":"x"}'))],
    })
    const unknown = { os: 'unknown', architecture: 'unknown' }
    const root = document(index ?? '', {
      manifests: [
        { ...described, platform },
        { ...about, platform: unknown },
      ],
    })
    writeFileSync(`${layout}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(`${layout}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [root] }))
    await skopeo(
      '--all',
      '--dest-tls-verify=false',
      `oci:${layout}`,
      `docker://${image('members')}`,
    )
    await builds(image('members'))
  })

  /** A build on an image has its files. */
  async function builds(name: string): Promise<void> {
    const context = writeContext(directory.file('on-top'), {
      Dockerfile: `FROM ${name}\nCOPY --from=${name} /note /again\n`,
    })
    const dest = directory.file('files')
    await mustBuild(['-q', '-o', dest, context], { root: directory.file('other') })
    assert.equal(readFileSync(`${dest}/again`, 'utf8'), 'a note\n')
    assert.equal(readFileSync(`${dest}/note`, 'utf8'), 'a note\n')
  }
})

const OCI = 'application/vnd.oci.image'

async function tarOf(folder: string): Promise<Buffer> {
  writeContext(folder, { note: 'a note\n' })
  const file = `${folder}.tar`
  await run('tar', ['-cf', file, '-C', folder, 'note'])
  return readFileSync(file)
}
