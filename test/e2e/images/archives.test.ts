import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  busyboxBase,
  copyImage,
  pushLayout,
  type Registry,
  run,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { HERE, mustBuild, tsbuild } from '../support/tsbuild.ts'
import { rawManifest } from './skopeo.ts'

describe('tsbuild save and load', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let name = ''
  /** A store that has the image under two names. */
  let start = { root: '' }
  before(async () => {
    directory = temporaryDirectory('archives')
    registry = await startRegistry()
    name = `${registry.host}/busybox`
    await pushLayout(await busyboxBase(), `${name}:latest`)
    start = { root: directory.file('store') }
    await mustBuild(['pull', '-q', name], start)
    await mustBuild(['tag', name, 'app:2'], start)
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('save what skopeo reads in both forms, with the digests of the registry', async () => {
    const tar = directory.file('both.tar')
    await mustBuild(['save', '-o', tar, name, 'app:2'], start)
    const expected = await rawManifest(`docker://${name}:latest`)
    assert.deepEqual(await rawManifest(`oci-archive:${tar}:2`), expected)
    const config = expected.document.config?.digest
    for (const one of [`${name}:latest`, 'docker.io/library/app:2']) {
      const read = await rawManifest(`docker-archive:${tar}:${one}`)
      assert.equal(read.document.config?.digest, config)
    }
  })

  it('save to standard output what podman loads', async () => {
    const tar = directory.file('stdout.tar')
    await run('sh', ['-c', 'exec "$0" "$@" > "$OUT"', ...HERE.command, 'save', 'app:2'], {
      env: { OUT: tar, TSBUILD_ROOT: start.root, HOME: directory.file('home') },
    })
    const podman = ['--root', directory.file('podman'), '--runroot', directory.file('run')]
    const loaded = await run('podman', [...podman, '--storage-driver=vfs', 'load', '-q', '-i', tar])
    assert.match(loaded.stdout, /docker\.io\/library\/app:2/)
  })

  it('load what they saved, to the same digests', async () => {
    const tar = directory.file('again.tar')
    await mustBuild(['save', '--format=oci', '-o', tar, 'app:2'], start)
    const other = { root: directory.file('again') }
    const { stdout } = await mustBuild(['load', '-q', '-i', tar], other)
    assert.equal(stdout, 'Loaded image: app:2\n')
    assert.equal(await digestIn(other, 'app:2'), await digestIn(start, 'app:2'))
  })

  for (const [form, pack] of [
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    it(`load an archive of skopeo in docker's form, ${form}`, async () => {
      const tar = directory.file(`skopeo-${form}.tar`)
      await copyImage(`docker://${name}:latest`, `docker-archive:${tar}:from/skopeo:1`)
      writeFileSync(tar, pack(readFileSync(tar)))
      const other = { root: directory.file(`skopeo-${form}`) }
      const { stdout } = await mustBuild(['load', '-q', '-i', tar], other)
      assert.equal(stdout, 'Loaded image: from/skopeo:1\n')
      const { document } = await rawManifest(`docker://${name}:latest`)
      const id = (await mustBuild(['images', '-q'], other)).stdout.trim()
      assert.equal(id, document.config?.digest)
      const copy = `oci:${directory.file(`copy-${form}`)}:copy`
      await copyImage(`oci:${other.root}:docker.io/from/skopeo:1`, copy)
    })
  }

  it('load an OCI archive whose image has only a tag under the name that is given', async () => {
    const tar = directory.file('tag.tar')
    await copyImage(`docker://${name}:latest`, `oci-archive:${tar}:v1`)
    const other = { root: directory.file('tag') }
    const refused = await tsbuild(['load', '-i', tar], other)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /has no name there/)
    assert.match(refused.stderr, /--name/)
    const { stdout } = await mustBuild(['load', '-q', '-i', tar, '--name', 'app:v1'], other)
    assert.equal(stdout, 'Loaded image: app:v1\n')
  })

  it('refuse what is cut, no archive, or incomplete, and keep no name', async () => {
    const tar = directory.file('cut.tar')
    await mustBuild(['save', '-o', tar, 'app:2'], start)
    const whole = readFileSync(tar)
    const other = { root: directory.file('cut') }
    const cases = [
      { bytes: whole.subarray(0, whole.length / 2), says: /not a tar, or it is damaged/ },
      { bytes: Buffer.from('hello'), says: /not a tar, or it is damaged/ },
      { bytes: Buffer.alloc(1024), says: /neither an index.json nor a manifest.json/ },
      { bytes: gzipSync(Buffer.alloc(300 * 1024 * 1024)), says: /neither|expands|damaged/ },
    ]
    for (const { bytes, says } of cases) {
      writeFileSync(tar, bytes)
      const { status, stderr } = await tsbuild(['load', '-q', '-i', tar], other)
      assert.equal(status, 1)
      assert.match(stderr, says)
    }
    assert.equal((await mustBuild(['images', '-q'], other)).stdout, '')
  })

  it('refuse to save what is not there, and write nothing', async () => {
    const tar = directory.file('nothing.tar')
    const { status, stderr } = await tsbuild(['save', '-o', tar, 'app:2', 'absent'], start)
    assert.equal(status, 1)
    assert.match(stderr, /no image absent:latest in the local store/)
    assert.throws(() => readFileSync(tar), { code: 'ENOENT' })
  })
})

async function digestIn(start: { readonly root: string }, name: string): Promise<string> {
  const [image] = JSON.parse((await mustBuild(['inspect', name], start)).stdout)
  return image.digest
}
