import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildResult } from '#builder'
import { digestOf, MEDIA_TYPES } from '#core'
import { buildMetadata, prepareResultFile, writeResultFile } from '../../../cli/io/result-files.ts'
import { AnsweringProcess, LIMITED } from '../../support/rights/index.ts'

const CHILD = fileURLToPath(new URL('./limited.js', import.meta.url))

describe('result files', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are removed first and written whole, with nothing left beside them', () => {
    const file = join(folder, 'id')
    writeFileSync(file, 'stale')
    prepareResultFile(file)
    assert.deepEqual(readdirSync(folder), [])
    writeResultFile(file, 'sha256:x')
    assert.equal(readFileSync(file, 'utf8'), 'sha256:x')
    assert.deepEqual(readdirSync(folder), ['id'])
  })

  it('may be devices and links, which stay', () => {
    const link = join(folder, 'link')
    symlinkSync('/dev/null', link)
    prepareResultFile(link)
    writeResultFile(link, 'x')
    assert.deepEqual(readdirSync(folder), ['link'])
  })

  it('may be standard output of a user who may not write to its folder', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const link = join(folder, 'stdout')
    symlinkSync('/dev/null', link)
    chmodSync(folder, 0o755)
    using child = new AnsweringProcess(CHILD, LIMITED['an ordinary user'] ?? assert.fail())
    assert.equal(await child.ask(link), 'written')
    await assert.rejects(child.ask(join(folder, 'new')), /permission denied/)
  })

  it('may be mounts, which stay', () => {
    const [file, log] = [join(folder, 'log'), join(folder, 'source')]
    writeFileSync(file, '')
    writeFileSync(log, 'of an earlier build')
    execFileSync('mount', ['--bind', log, file])
    try {
      prepareResultFile(file)
      assert.equal(readFileSync(log, 'utf8'), '')
      writeResultFile(file, 'sha256:x')
      assert.equal(readFileSync(log, 'utf8'), 'sha256:x')
    } finally {
      execFileSync('umount', [file])
    }
  })

  it('are refused before the build when they cannot be written', () => {
    assert.throws(() => prepareResultFile(join(folder, 'no', 'id')), { code: 'IO_FAILED' })
  })

  it('name the platform of an image, and no config of an index', () => {
    const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('m'), size: 8 }
    const id = digestOf('config')
    const image = { platform: 'linux/arm64', id, layers: [] }
    const facts = { imageId: id, images: [image], tags: [], layers: [], materials: [] }
    const counts = { steps: { total: 1, cached: 0 }, stored: 0, milliseconds: 1 }
    const read = (root: typeof descriptor) =>
      JSON.parse(
        buildMetadata({ ...facts, ...counts, digest: root.digest, descriptor: root }),
      ) as Record<string, unknown>
    const platform = { os: 'linux', architecture: 'arm64' }
    assert.deepEqual(read(descriptor)['containerimage.descriptor'], { ...descriptor, platform })
    const index = { ...descriptor, mediaType: MEDIA_TYPES.ociIndex as string }
    const written = read(index as typeof descriptor)
    assert.deepEqual(written['containerimage.descriptor'], index)
    assert.equal(written['containerimage.config.digest'], undefined)
  })

  it('hold the keys of buildx as metadata', () => {
    const digest = digestOf('manifest')
    const descriptor = { mediaType: 'application/json', digest, size: 8 }
    const result: BuildResult = {
      digest,
      descriptor,
      imageId: digestOf('config'),
      tags: ['docker.io/library/a:1', 'docker.io/library/b:2'],
      layers: [],
      images: [],
      materials: [],
      steps: { total: 1, cached: 0 },
      stored: 0,
      milliseconds: 1,
    }
    const { 'buildx.build.ref': ref, ...others } = JSON.parse(buildMetadata(result))
    assert.match(ref, /^tsbuild\/tsbuild\/[a-z0-9]{25}$/)
    assert.deepEqual(others, {
      'containerimage.config.digest': digestOf('config'),
      'containerimage.descriptor': descriptor,
      'containerimage.digest': digest,
      'image.name': 'docker.io/library/a:1,docker.io/library/b:2',
    })
    const none = {
      ...result,
      digest: undefined,
      descriptor: undefined,
      imageId: undefined,
      tags: [],
    }
    assert.deepEqual(Object.keys(JSON.parse(buildMetadata(none))), ['buildx.build.ref'])
  })
})
