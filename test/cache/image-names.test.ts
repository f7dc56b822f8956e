import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { openStore, type Store } from '#cache'
import {
  asDiffId,
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
  serializeManifest,
  TsbuildError,
} from '#core'
import { documentSuite } from '../suites/documents.ts'
import { newRoot, removeRoots, withStore } from './support.ts'

const NAME = 'docker.io/library/hello:latest'

describe('image names', () => {
  let store: Store

  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  function manifest(text: string): Promise<Descriptor> {
    return store.blobs.putBytes(MEDIA_TYPES.ociManifest, Buffer.from(text))
  }

  it('are none in a new store, which is a valid layout', () => {
    assert.deepEqual(store.images.list(), [])
    const layout = JSON.parse(readFileSync(join(store.root, 'oci-layout'), 'utf8'))
    assert.deepEqual(layout, { imageLayoutVersion: '1.0.0' })
    const index = JSON.parse(readFileSync(join(store.root, 'index.json'), 'utf8'))
    assert.deepEqual(index, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] })
  })

  it('are set, moved and removed', async () => {
    const [one, two] = [await manifest('{"a":1}'), await manifest('{"a":2}')]
    const createdAt = new Date('2026-01-02T03:04:05Z')
    await store.images.set(
      NAME,
      { ...one, platform: { os: 'linux', architecture: 'amd64' } },
      { createdAt },
    )
    await store.images.set('example.com:5000/a_b/c:1.0-rc.1', one)
    assert.deepEqual(
      store.images.list().map((image) => image.name),
      [NAME, 'example.com:5000/a_b/c:1.0-rc.1'],
    )
    assert.deepEqual(store.images.get(NAME), {
      name: NAME,
      descriptor: { ...one, platform: { os: 'linux', architecture: 'amd64' } },
      createdAt,
    })
    await store.images.set(NAME, two)
    assert.deepEqual(store.images.get(NAME), { name: NAME, descriptor: two })
    assert.equal(store.images.list().length, 2)
    assert.equal(await store.images.remove(NAME), true)
    assert.equal(await store.images.remove(NAME), false)
    assert.equal(store.images.get(NAME), undefined)
  })

  it('are not written again for the same image', async () => {
    const one = await manifest('{}')
    await store.images.set(NAME, one)
    const before = statSync(join(store.root, 'index.json')).ino
    await store.images.set(NAME, one)
    assert.equal(statSync(join(store.root, 'index.json')).ino, before)
  })

  it('never name what is not there, or by what is not a name', async () => {
    const absent = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('absent'), size: 6 }
    await assert.rejects(store.images.set(NAME, absent), { code: 'NOT_FOUND' })
    const one = await manifest('{}')
    for (const name of ['', 'a b', '../x', 'a\u001b[2J', 'a\n', 'x'.repeat(600)]) {
      await assert.rejects(store.images.set(name, one), { code: 'REFERENCE_INVALID' })
    }
    assert.deepEqual(store.images.list(), [])
  })

  it('are written only when their blobs are on the disk', async () => {
    const one = await manifest('{}')
    await store.images.set(NAME, one)
    assert.equal(statSync(store.blobs.path(one.digest)).mode & 0o777, 0o444)
  })

  it('leave the entries of other tools as they are', async () => {
    const foreign = { mediaType: 'x/y', digest: `sha512:${'0'.repeat(128)}`, size: 1, data: 'e30=' }
    const file = join(store.root, 'index.json')
    writeFileSync(file, JSON.stringify({ schemaVersion: 2, manifests: [foreign] }))
    await store.images.set(NAME, await manifest('{}'))
    await store.images.remove(NAME)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).manifests, [foreign])
    assert.deepEqual(store.images.list(), [])
  })

  it('leave the text of such entries as it is', async () => {
    const text = '{"mediaType":"x/y", "size":1, "x-new":{"a":[1.50, null]}, "digest":null}'
    const file = join(store.root, 'index.json')
    writeFileSync(file, `{"manifests": [ ${text} ]}\n`)
    await store.images.set(NAME, await manifest('{}'))
    assert.ok(readFileSync(file, 'utf8').includes(`[${text},{`))
  })

  documentSuite({
    name: 'index of the store',
    example: {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [
        {
          mediaType: MEDIA_TYPES.ociManifest,
          digest: digestOf('x'),
          size: 1,
          platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
          annotations: { 'org.opencontainers.image.ref.name': NAME, skill: 'x' },
        },
      ],
      annotations: { skill: 'x' },
    },
    maps: ['annotations', 'manifests.*.annotations'],
    required: [],
    read: async (bytes) => {
      const file = join(store.root, 'index.json')
      rmSync(file)
      await store.images.set('last-known:1', await manifest('{}'))
      writeFileSync(file, bytes)
      const names = store.images.list()
      if (names.every(({ name }) => name !== 'last-known:1')) return names
      throw new TsbuildError('the index is taken for damaged', { code: 'STORE_INVALID' })
    },
  })

  const damages: readonly [string, (file: string) => void][] = [
    ['cut', (file) => truncateSync(file, 40)],
    ['empty', (file) => truncateSync(file, 0)],
    ['gone', (file) => rmSync(file)],
    ['something else', (file) => writeFileSync(file, '{"manifests":7}')],
  ]
  for (const [what, damage] of damages) {
    it(`survive when their file is ${what}`, async () => {
      const one = await manifest('{}')
      await store.images.set(NAME, one)
      const file = join(store.root, 'index.json')
      damage(file)
      assert.deepEqual(store.images.list(), [{ name: NAME, descriptor: one }])
      await store.images.set('localhost/other:1', one)
      assert.equal(JSON.parse(readFileSync(file, 'utf8')).manifests.length, 2)
      assert.equal(readdirSync(join(store.root, 'corrupt')).length, what === 'gone' ? 0 : 1)
    })
  }

  it('behave like a map', async () => {
    const blobs = await Promise.all([manifest('{"a":1}'), manifest('{"a":2}')])
    const name = fc.constantFrom('a:1', 'a:2', 'b/c:latest')
    const step = fc.record({ name, blob: fc.option(fc.constantFrom(...blobs)) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        for (const { name } of store.images.list()) await store.images.remove(name)
        const model = new Map<string, Descriptor>()
        for (const { name, blob } of steps) {
          if (blob === null) assert.equal(await store.images.remove(name), model.delete(name))
          else await store.images.set(name, model.set(name, blob).get(name) ?? blob)
        }
        const found = store.images.list().map((image) => [image.name, image.descriptor])
        assert.deepEqual(new Map(found as [string, Descriptor][]), model)
      }),
      { numRuns: 25 },
    )
  })

  it('are found by skopeo and umoci', async function () {
    if (spawnSync('skopeo', ['--version']).error || spawnSync('umoci', ['--version']).error)
      this.skip()
    this.timeout(30_000)
    const { root } = store
    await store.images.set(NAME, await putImage(store))
    await store.images.set('localhost:5000/other:1.0', await manifest('{"not":"read"}'))
    const inspected = JSON.parse(run('skopeo', 'inspect', `oci:${root}:${NAME}`))
    assert.equal(inspected.Architecture, 'amd64')
    assert.deepEqual(inspected.Layers, [digestOf(EMPTY_TAR)])
    const copy = `${root}-copy`
    run('skopeo', 'copy', '--quiet', `oci:${root}:${NAME}`, `oci:${copy}:copied`)
    const tags = run('umoci', 'ls', '--layout', root).trim().split('\n').sort()
    assert.deepEqual(tags, [NAME, 'localhost:5000/other:1.0'])
    // And the other way: what skopeo puts into the store has a name there.
    run('skopeo', 'copy', '--quiet', `oci:${copy}:copied`, `oci:${root}:example.com/back:1`)
    await withStore(root, async (other) => {
      const found = other.images.get('example.com/back:1')
      assert.ok(found && (await other.blobs.has(found.descriptor)))
      assert.equal(other.images.list().length, 3)
    })
  })
})

const EMPTY_TAR = Buffer.alloc(1024)

async function putImage(store: Store): Promise<Descriptor> {
  const layer = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, EMPTY_TAR)
  const document = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [asDiffId(layer.digest)] },
  }
  const config = await store.blobs.putBytes(
    MEDIA_TYPES.ociConfig,
    Buffer.from(JSON.stringify(document)),
  )
  const manifest = { mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }
  return await store.blobs.putBytes(MEDIA_TYPES.ociManifest, serializeManifest(manifest))
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
