import assert from 'node:assert/strict'
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { JsonObject } from '#core'
import { importImage, loadArchive } from '#engine/images'
import { copyImage, type Dockerd, run, startDockerd } from '../../support/peers/index.ts'
import { startWebServer } from '../../support/servers/index.ts'
import { collect, ImageLab, pieces } from './support/image-lab.ts'

describe('archives of images', () => {
  let lab: ImageLab
  let dockerd: Dockerd
  before(async () => {
    ;[lab, dockerd] = await Promise.all([ImageLab.start(), startDockerd()])
  })
  after(async () => {
    await dockerd[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await lab.clear()
    await lab.pull()
    await lab.images.tag(lab.busybox, 'box', '1')
    await lab.images.tag(lab.busybox, 'box', '2')
  })

  const save = async (...names: readonly string[]): Promise<string> => {
    const path = lab.folder.file('saved.tar')
    await pipeline(await lab.images.save(names, undefined), createWriteStream(path))
    return path
  }
  const load = async (bytes: Buffer): Promise<readonly (string | undefined)[]> => {
    const request = { archive: pieces(bytes), platform: undefined, quiet: true }
    const messages = await collect(loadArchive(lab.images, request))
    return messages.map(({ stream, error }) => stream ?? error)
  }

  it('are loaded by docker, with the same id and all names', async () => {
    const path = await save('box', lab.busybox)
    const { stdout } = await dockerd.docker(['load', '-i', path])
    for (const name of ['box:1', 'box:2', `${lab.busybox}:latest`]) {
      assert.ok(stdout.includes(`Loaded image: ${name}`), name)
    }
    const { id } = await lab.images.find({ text: 'box:1' })
    const found = await dockerd.docker(['inspect', 'box:2', '--format', '{{.Id}}'])
    assert.equal(found.stdout.trim(), id)
    await copyImage(`docker-archive:${path}:box:1`, `oci:${lab.folder.file('layout')}:copy`)
    const { stdout: shown } = await run('tar', ['-xOf', path, 'manifest.json'])
    assert.equal((JSON.parse(shown) as readonly JsonObject[]).length, 1)
  })

  it('are loaded from what docker, skopeo and we save, packed or not', async () => {
    const own = readFileSync(await save('box:1'))
    const { id } = await lab.images.find({ text: 'box:1' })
    await dockerd.docker(['load', '-i', lab.folder.file('saved.tar')])
    await dockerd.docker(['save', '-o', lab.folder.file('docker.tar'), 'box:1'])
    const oci = lab.folder.file('oci.tar')
    await copyImage(
      `docker-archive:${lab.folder.file('docker.tar')}:box:1`,
      `oci-archive:${oci}:box:1`,
    )
    const docker = readFileSync(lab.folder.file('docker.tar'))
    for (const bytes of [own, gzipSync(docker), zstdCompressSync(docker), readFileSync(oci)]) {
      await lab.clear()
      assert.deepEqual(await load(bytes), ['Loaded image: box:1\n'])
      const loaded = await lab.images.find({ text: 'box:1' })
      assert.equal(loaded.id, id)
      assert.deepEqual(
        lab.takeEvents().map(({ Action }) => Action),
        ['load'],
      )
    }
  })

  it('without names keep their images, and say by which id', async () => {
    const { id } = await lab.images.find({ text: 'box:1' })
    const bytes = readFileSync(await save(id))
    await lab.clear()
    assert.deepEqual(await load(bytes), [`Loaded image ID: ${id}\n`])
    const [image] = await lab.images.list({}, 56)
    assert.deepEqual([image?.Id, image?.RepoTags], [id, []])
  })

  it('say which image has lost its name', async () => {
    const bytes = readFileSync(await save('box:1'))
    const { id } = await lab.images.find({ text: 'box:1' })
    const tar = lab.tar({ a: 'b' })
    await collect(
      importImage(lab.images, { ...IMPORT, body: pieces(tar), repository: 'box', tag: '1' }),
    )
    const other = (await lab.images.find({ text: 'box:1' })).id
    assert.notEqual(other, id)
    assert.deepEqual(await load(bytes), [
      `The image box:1 already exists, renaming the old one with ID ${other} to empty string\n`,
      'Loaded image: box:1\n',
    ])
    const dangling = await lab.images.list({ filters: '{"dangling":["true"]}' }, 56)
    assert.deepEqual(
      dangling.map(({ Id }) => Id),
      [other],
    )
  })

  it('that are damaged are a message, and change nothing', async () => {
    const bytes = readFileSync(await save('box:1'))
    const before = JSON.stringify(await lab.images.list({}, 56))
    for (const damaged of [Buffer.from('no tar'), Buffer.alloc(0), bytes.subarray(0, 600_000)]) {
      const [message, ...more] = await load(damaged)
      assert.ok(message)
      assert.deepEqual(more, [])
    }
    assert.equal(JSON.stringify(await lab.images.list({}, 56)), before)
    await assert.rejects(lab.images.save(['nosuch'], undefined), { code: 'NOT_FOUND' })
  })

  it('of files become images of one layer, as dockerd makes them', async () => {
    const tar = lab.tar({ 'etc/a': '1', b: '2' })
    const changes = ['CMD ["x", "y"]', 'ENV A=b C=d', 'EXPOSE 80', 'WORKDIR /w']
    const request = { body: pieces(gzipSync(tar)), changes, repository: 'imported', tag: '1' }
    const messages = await collect(importImage(lab.images, { ...IMPORT, ...request, message: 'm' }))
    const ours = await lab.images.inspect({ text: 'imported:1' }, 41)
    assert.deepEqual(messages, [{ status: ours.Id }])
    const path = lab.folder.file('import.tar')
    writeFileSync(path, tar)
    const flags = changes.flatMap((change) => ['--change', change])
    await dockerd.docker(['import', '--message', 'm', ...flags, path, 'imported:1'])
    const { stdout } = await dockerd.docker(['inspect', 'imported:1'])
    const [theirs] = JSON.parse(stdout) as readonly JsonObject[]
    for (const name of ['Config', 'Comment', 'Architecture', 'Os']) {
      assert.deepEqual(ours[name], theirs?.[name], name)
    }
    const actions = lab.takeEvents().map(({ Action }) => Action)
    assert.deepEqual(actions.slice(-2), ['tag', 'import'])
    await using server = await startWebServer((_, response) => void response.end(tar))
    const source = `${server.origin}/files.tar`
    const fetched = await collect(importImage(lab.images, { ...IMPORT, source, body: pieces(tar) }))
    assert.equal(fetched[0]?.status, `Downloading from ${source}`)
    assert.match(fetched.at(-1)?.status ?? '', /^sha256:/)
  })

  it('are refused where they are no tar, or changes are wrong', async () => {
    const tar = lab.tar({ a: 'b' })
    const refused = (request: object, code: string): Promise<void> =>
      assert.rejects(
        collect(importImage(lab.images, { ...IMPORT, body: pieces(tar), ...request })),
        { code },
      )
    await refused({ body: pieces(Buffer.from('no tar at all'.repeat(100))) }, 'LAYER_INVALID')
    await refused({ changes: ['RUN x'] }, 'USAGE')
    await refused({ source: 'file:///etc/passwd' }, 'USAGE')
    await refused({ source: '/etc/passwd' }, 'USAGE')
  })
})

const IMPORT = {
  ...{ source: '-', repository: undefined, tag: undefined, message: undefined },
  ...{ changes: [], platform: undefined },
}
