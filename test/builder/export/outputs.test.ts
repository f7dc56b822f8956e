import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import tar from 'tar-stream'
import { type BuildResult, build, type Output } from '#builder'
import { openStore } from '#cache'
import { digestOf, hexOf, parseDiffId, parseIndex, uncompressedDigest } from '#core'
import { parseManifest } from '../../support/manifest/index.ts'
import { run } from '../../support/peers/index.ts'

const DOCKERFILE = [
  'FROM scratch',
  'COPY a /same',
  'COPY --chmod=640 a /dir/b',
  'COPY --chmod=600 a /same',
  'COPY a /same',
  'COPY a /last',
  'ENV X=y',
  'CMD ["/last"]',
].join('\n')

describe('outputs', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-export-'))
    mkdirSync(path('context'))
    writeFileSync(path('context/a'), 'content\n'.repeat(1000))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const path = (name: string): string => join(folder, name)
  const make = (output: Output, tags: readonly string[] = ['app:1']): Promise<BuildResult> =>
    build({
      context: path('context'),
      dockerfile: DOCKERFILE,
      root: path('store'),
      outputs: [output],
      tags,
    })

  /** Members of a tar by name; fails for one that comes twice. */
  async function members(bytes: Buffer): Promise<ReadonlyMap<string, Buffer>> {
    const extract = tar.extract()
    extract.end(bytes)
    const found = new Map<string, Buffer>()
    for await (const entry of extract) {
      assert.ok(!found.has(entry.header.name), `${entry.header.name} comes twice`)
      found.set(entry.header.name, await buffer(entry))
    }
    return found
  }

  interface SkopeoImage {
    readonly Digest: string
    readonly Layers: readonly string[]
    readonly Env: readonly string[]
  }

  async function inspect(name: string): Promise<SkopeoImage> {
    const { stdout } = await run('skopeo', ['inspect', name])
    return JSON.parse(stdout) as SkopeoImage
  }

  for (const type of ['oci', 'docker'] as const) {
    it(`type=${type} is an archive that skopeo reads`, async () => {
      const built = await make({ type, dest: path('x.tar') })
      const image = await inspect(`${type}-archive:${path('x.tar')}`)
      assert.ok(image.Env.includes('X=y'))
      assert.equal(image.Layers.length, 5)
      if (type === 'oci') assert.equal(image.Digest, built.digest)
      await run('skopeo', [
        ...['--insecure-policy', 'copy', `${type}-archive:${path('x.tar')}`],
        `dir:${path('copied')}`,
      ])
    })
  }

  it('type=oci is a layout whose every blob is what it is called', async () => {
    const built = await make({ type: 'oci', dest: path('x.tar') }, ['app:1', 'reg.example/app:2'])
    const files = await members(readFileSync(path('x.tar')))
    assert.equal(files.get('oci-layout')?.toString(), '{"imageLayoutVersion":"1.0.0"}')
    const { manifests } = parseIndex(files.get('index.json') ?? Buffer.alloc(0))
    assert.deepEqual(
      manifests.map(({ digest, annotations }) => [
        digest,
        annotations?.['io.containerd.image.name'],
        annotations?.['org.opencontainers.image.ref.name'],
      ]),
      [
        [built.digest, 'docker.io/library/app:1', '1'],
        [built.digest, 'reg.example/app:2', '2'],
      ],
    )
    const blobs = [...files].filter(([name]) => name.startsWith('blobs/sha256/'))
    for (const [name, bytes] of blobs) {
      assert.equal(name, `blobs/sha256/${hexOf(digestOf(bytes))}`)
    }
    // The first and the fourth layer are one.
    assert.equal(blobs.length, 2 + 4)
  })

  it('type=docker has what `docker load` reads', async () => {
    await make({ type: 'docker', dest: path('x.tar') }, ['app:1', 'localhost:5000/a/b'])
    const files = await members(readFileSync(path('x.tar')))
    const [image, ...others] = JSON.parse(String(files.get('manifest.json'))) as {
      Config: string
      RepoTags: string[]
      Layers: string[]
    }[]
    assert.ok(image)
    assert.equal(others.length, 0)
    assert.deepEqual(image.RepoTags, ['app:1', 'localhost:5000/a/b:latest'])
    assert.equal(image.Layers.length, 5)
    for (const name of [image.Config, ...image.Layers]) assert.ok(files.has(name))
    const config = JSON.parse(String(files.get(image.Config))) as { config: { Cmd: string[] } }
    assert.deepEqual(config.config.Cmd, ['/last'])
  })

  it('packs layers as the output requires, and leaves a folder of an earlier image usable', async () => {
    const dest = path('layout')
    const first = await make({ type: 'oci', tar: false, dest }, ['app:1'])
    const second = await make({ type: 'oci', tar: false, dest, compression: 'zstd' }, ['app:2'])
    assert.notEqual(first.digest, second.digest)
    assert.equal((await inspect(`oci:${dest}:2`)).Digest, second.digest)
    const blob = (digest: string): Buffer =>
      readFileSync(join(dest, 'blobs/sha256', digest.slice(7)))
    const { layers } = parseManifest(blob(second.digest ?? ''), '')
    assert.ok(layers.every(({ mediaType }) => mediaType.endsWith('+zstd')))
    assert.ok(blob(first.digest ?? '').length > 0)
    assert.deepEqual(readdirSync(dest).sort(), ['blobs', 'index.json', 'oci-layout'])
  })

  it('type=oci and type=tar go to a stream, which stays open', async () => {
    for (const type of ['oci', 'tar'] as const) {
      const dest = new PassThrough()
      const collected = buffer(dest)
      await make({ type, dest })
      assert.equal(dest.writableEnded, false)
      dest.end()
      await make({ type, dest: path('file.tar') })
      assert.deepEqual(await collected, readFileSync(path('file.tar')))
    }
  })

  it('type=local writes the files', async () => {
    await make({ type: 'local', dest: path('files') })
    assert.deepEqual(readdirSync(path('files')).toSorted(), ['dir', 'last', 'same'])
    assert.equal(statSync(path('files/dir/b')).mode & 0o777, 0o640)
    assert.equal(readFileSync(path('files/same')).length, 8000)
  })

  it('type=tar is one archive of the files', async () => {
    await make({ type: 'tar', dest: path('x.tar') })
    const files = await members(readFileSync(path('x.tar')))
    assert.deepEqual([...files.keys()], ['dir/', 'dir/b', 'last', 'same'])
  })

  it('follows a link to a file, and replaces the file', async () => {
    writeFileSync(path('real.tar'), 'old')
    symlinkSync(path('real.tar'), path('link.tar'))
    for (const type of ['oci', 'tar'] as const) {
      await make({ type, dest: path('link.tar') })
      assert.equal(readlinkSync(path('link.tar')), path('real.tar'))
      assert.ok(statSync(path('real.tar')).size > 1000)
    }
  })

  it('opens no file beside the destination, which a link could lead away', async () => {
    writeFileSync(path('victim'), 'safe')
    mkdirSync(path('layout'))
    symlinkSync(path('victim'), path('x.tar.part'))
    symlinkSync(path('victim'), path('layout/index.json.part'))
    for (const type of ['oci', 'docker', 'tar'] as const) await make({ type, dest: path('x.tar') })
    await make({ type: 'oci', tar: false, dest: path('layout') })
    assert.equal(readFileSync(path('victim'), 'utf8'), 'safe')
  })

  it('may be the same for two builds, and is whole then', async () => {
    for (const type of ['oci', 'tar'] as const) {
      const dest = path('x.tar')
      await Promise.all(['1', '2', '3', '4'].map((tag) => make({ type, dest }, [`app:${tag}`])))
      assert.ok((await members(readFileSync(dest))).size > 3)
    }
    assert.deepEqual(readdirSync(folder).sort(), ['context', 'store', 'x.tar'])
  })

  it('writes to a device or a pipe as it is', async () => {
    await run('mkfifo', [path('pipe')])
    for (const type of ['oci', 'tar'] as const) {
      const reading = run('sh', ['-c', `wc -c < ${path('pipe')}`])
      await make({ type, dest: path('pipe') })
      await make({ type, dest: path('file.tar') })
      assert.equal(Number((await reading).stdout), statSync(path('file.tar')).size)
      assert.ok(statSync(path('pipe')).isFIFO())
      await make({ type, dest: '/dev/null' })
      assert.ok(statSync('/dev/null').isCharacterDevice())
    }
  })

  describe('that fail', () => {
    /** Damages the topmost layer of the image between two builds. */
    async function damage(): Promise<void> {
      const built = await make({ type: 'store' })
      await using store = openStore(path('store'))
      const digest = uncompressedDigest(parseDiffId(built.layers.at(-1)?.diffId ?? ''))
      writeFileSync(store.blobs.path(digest), Buffer.alloc(store.blobs.stat(digest) ?? 0))
    }

    for (const type of ['oci', 'docker', 'tar'] as const) {
      it(`leave nothing half-written behind: type=${type}`, async () => {
        await damage()
        writeFileSync(path('x.tar'), 'before')
        await assert.rejects(make({ type, dest: path('x.tar') }), { code: 'DIGEST_MISMATCH' })
        assert.equal(readFileSync(path('x.tar'), 'utf8'), 'before')
        assert.deepEqual(readdirSync(folder).sort(), ['context', 'store', 'x.tar'])
        // What was damaged has been moved away, so it is made again.
        await make({ type, dest: path('x.tar') })
      })
    }

    it('name nothing in a folder', async () => {
      await damage()
      const output: Output = { type: 'oci', tar: false, dest: path('layout') }
      await assert.rejects(make(output), { code: 'DIGEST_MISMATCH' })
      assert.equal(existsSync(path('layout/index.json')), false)
      const names = readdirSync(path('layout'), { recursive: true }).map(String)
      assert.ok(!names.some((name) => /\.part$|^\./.test(name)))
    })

    it('say that the disk is full', async () => {
      for (const type of ['oci', 'tar'] as const) {
        await assert.rejects(make({ type, dest: '/dev/full' }), { code: 'NO_SPACE' })
      }
    })

    it('say that the reader went away', async () => {
      for (const type of ['oci', 'tar'] as const) {
        const dest = new PassThrough()
        dest.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
        dest.on('error', () => undefined)
        await assert.rejects(make({ type, dest }), { code: 'IO_FAILED' })
      }
    })
  })
})
