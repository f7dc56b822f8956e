import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Collector, openStore, type Store, type StoreItem, stackLayerId } from '#cache'
import {
  asDiffId,
  type Descriptor,
  digestOf,
  hexOf,
  MEDIA_TYPES,
  serializeManifest,
  uncompressedDigest,
} from '#core'
import { keyOf, newRoot, putStep, removeRoots, withStore } from '../support.ts'

const ALL = { all: true, matches: () => true } as const
const NOT_ALL = { ...ALL, all: false } as const

/** What GNU's du counts. */
function diskUse(path: string): number {
  return Number.parseInt(
    execFileSync('du', ['-s', '--block-size=1', path], { encoding: 'utf8' }),
    10,
  )
}

function total(items: readonly StoreItem[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** An image of one layer that holds `text`, with a name if there is to be one. */
async function putImage(store: Store, text: string, name?: string): Promise<Descriptor> {
  const layer = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, Buffer.from(text))
  const config = await store.blobs.putBytes(
    MEDIA_TYPES.ociConfig,
    Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [layer.digest] } })),
  )
  const manifest = { mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }
  const bytes = serializeManifest(manifest)
  const descriptor = await store.blobs.putBytes(MEDIA_TYPES.ociManifest, bytes)
  if (name !== undefined) await store.images.set(name, descriptor)
  return descriptor
}

/** As a process that has nothing else open. */
async function collected(root: string, request: Parameters<Collector['remove']>[0]) {
  return await withStore(root, (store) => new Collector(store).remove(request))
}

async function itemsIn(root: string): Promise<readonly StoreItem[]> {
  return await withStore(root, (store) => new Collector(store).items())
}

describe('collection', () => {
  afterEach(removeRoots)

  it('counts every byte as du(1) does, with files of several names once', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      await putStep(store, 'one')
      await putImage(store, 'x'.repeat(100_000), 'localhost/a:1')
      await putImage(store, 'y'.repeat(50_000))
      const made = store.temporary().path
      writeFileSync(join(made, 'file'), 'z'.repeat(300_000))
      linkSync(join(made, 'file'), join(made, 'again'))
      writeFileSync(join(made, 'sparse'), '')
      truncateSync(join(made, 'sparse'), 10 * 1024 ** 3)
      await store.layers.commitDirectory(made)
      writeFileSync(join(root, 'corrupt', 'x'), 'x'.repeat(9000))
    })
    await withStore(root, async (store) => {
      assert.equal(total(await new Collector(store).items()), diskUse(root))
    })
  })

  it('removes records before layers, and everything in the end', async () => {
    const root = newRoot()
    await withStore(root, (store) => putStep(store, 'one'))
    const gone = await collected(root, NOT_ALL)
    assert.deepEqual(
      gone.map(({ description, type }) => [description, type]),
      [['RUN one', 'regular']],
    )
    assert.deepEqual(readdirSync(join(root, 'layers')), [])
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
    await withStore(root, (store) => {
      assert.equal(store.records.find(keyOf('one')), undefined)
      assert.equal(store.records.hasFamily(keyOf(['family', 'one'])), false)
    })
  })

  it('keeps what names lead to, through any document, and takes the rest', async () => {
    const root = newRoot()
    const named = await withStore(root, async (store) => {
      await putImage(store, 'dangling')
      return await putImage(store, 'kept', 'localhost/a:1')
    })
    const other = withEntryOfAnotherTool(root)
    const gone = await collected(root, ALL)
    assert.deepEqual(gone.map(({ description }) => description).toSorted(), [
      'blob of no image',
      'config of an image without a name',
      'manifest of an image without a name',
    ])
    await withStore(root, async (store) => {
      assert.ok(await store.blobs.has(named))
      assert.equal(store.blobs.stat(digestOf('kept')), 4)
      assert.equal(store.blobs.stat(other), 5)
      assert.equal(store.blobs.stat(digestOf('dangling')), undefined)
    })
  })

  /** A layer that only a document which tsbuild would not read leads to. */
  function withEntryOfAnotherTool(root: string) {
    const digest = digestOf('other')
    writeFileSync(join(root, 'blobs/sha256', hexOf(digest)), 'other')
    const document = `{"schemaVersion":2,"layers":[{"digest":"${digest}","digest":"${digest}"}]}`
    const manifest = digestOf(document)
    writeFileSync(join(root, 'blobs/sha256', hexOf(manifest)), document)
    const index = join(root, 'index.json')
    const text = readFileSync(index, 'utf8')
    const entry = `{"mediaType":"application/x","digest":"${manifest}","size":${document.length}}`
    writeFileSync(index, text.replace('"manifests":[', `"manifests":[${entry},`))
    return digest
  }

  it('removes nothing when it is not known what the names are', async () => {
    const root = newRoot()
    await withStore(root, (store) => putImage(store, 'kept', 'localhost/a:1'))
    writeFileSync(join(root, 'index.json'), '{')
    // The database has a copy.
    assert.deepEqual(await collected(root, ALL), [])
    rmSync(join(root, 'tsbuild.db'))
    await assert.rejects(collected(root, ALL), { code: 'STORE_INVALID' })
    await withStore(root, (store) => assert.equal(store.blobs.stat(digestOf('kept')), 4))
  })

  it('takes what another process has looked up only once that has ended', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      for (const name of ['used', 'unused']) await putStep(store, name)
      await putImage(store, 'blob')
    })
    await withStore(root, async (store) => {
      const layer = store.records.find(keyOf('used'))?.layer
      assert.ok(layer)
      // Who relies on a document relies on what it leads to.
      const manifest = (await itemsIn(root)).find(({ description }) =>
        /^manifest/.test(description),
      )
      assert.ok(manifest)
      store.blobs.stat(uncompressedDigest(asDiffId(digestOf('x'))))
      assert.equal(
        store.blobs.stat(`sha256:${manifest.id}` as Descriptor['digest']) !== undefined,
        true,
      )
      const gone = await collected(root, ALL)
      assert.deepEqual(
        gone.map(({ description }) => description),
        ['RUN unused'],
      )
      assert.ok(existsSync(store.layers.directory(layer)))
      assert.equal(store.blobs.stat(digestOf('blob')), 4)
    })
    assert.equal((await collected(root, ALL)).length, 4)
  })

  it('keeps an image that was looked up by its name, whatever happens to the name', async () => {
    const root = newRoot()
    const name = 'localhost/a:1'
    await withStore(root, (store) => putImage(store, 'old', name))
    await withStore(root, async (store) => {
      const found = store.images.get(name)
      assert.ok(found)
      await withStore(root, (other) => putImage(other, 'new', name))
      assert.deepEqual(await collected(root, ALL), [])
      assert.ok(await store.blobs.has(found.descriptor))
      assert.equal(store.blobs.stat(digestOf('old')), 3)
    })
    assert.equal((await collected(root, ALL)).length, 3)
    await withStore(root, (store) => {
      store.blobs.delete(store.images.get(name)?.descriptor.digest ?? digestOf(''))
      assert.ok(store.images.get(name), 'a name that leads to nothing is a name')
    })
  })

  it('keeps a RUN as long as there is something on it', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      await putStep(store, 'below')
      const above = store.temporary().path
      writeFileSync(join(above, 'file'), 'x')
      const { id } = await store.layers.commitDirectory(above)
      store.records.put({
        ...{ key: keyOf('above'), family: keyOf('family'), preimage: null, layer: id },
        ...{ description: 'RUN above', below: keyOf('below'), milliseconds: 1500 },
      })
    })
    const items = await itemsIn(root)
    const above = items.find(({ description }) => description === 'RUN above')
    assert.equal(above?.seconds, 1.5)
    assert.deepEqual(
      items.filter(({ id }) => above?.parents.includes(id)).map(({ description }) => description),
      ['RUN below'],
    )
    const onlyBelow = { ...ALL, matches: (one: StoreItem) => one.description === 'RUN below' }
    assert.deepEqual(await collected(root, onlyBelow), [])
    assert.deepEqual(
      (await collected(root, ALL)).map(({ description }) => description),
      ['RUN above', 'RUN below'],
    )
  })

  it('takes the folder of a layer that an image has, and not what is known of its tar', async () => {
    const root = newRoot()
    const text = 'a layer'
    const diffId = asDiffId(digestOf(text))
    const stacked = stackLayerId([diffId])
    await withStore(root, async (store) => {
      await putImage(store, text, 'localhost/a:1')
      const made = store.temporary().path
      writeFileSync(join(made, 'file'), 'x')
      await store.layers.commitDirectory(made, { id: stacked, diffId, size: text.length })
    })
    assert.deepEqual(await collected(root, NOT_ALL), [])
    const [{ descriptor } = { descriptor: undefined }] = await withStore(root, (store) =>
      store.images.list(),
    )
    const container = { id: 'c', document: {}, image: descriptor?.digest }
    await withStore(root, (store) => store.engine.put('container', container))
    assert.deepEqual(await collected(root, ALL), [], 'a container lies on it')
    await withStore(root, (store) => store.engine.delete('container', 'c'))
    const [gone, more] = await collected(root, ALL)
    assert.deepEqual(gone?.images, ['localhost/a:1'])
    assert.equal(more, undefined)
    await withStore(root, (store) => {
      assert.deepEqual(store.layers.get(stacked), {
        ...{ id: stacked, diffId, size: text.length, directory: false },
      })
      assert.equal(store.blobs.stat(digestOf(text)), text.length)
    })
    assert.deepEqual(readdirSync(join(root, 'layers')), [])
  })

  it('takes what is noted of a tar with its layer', async () => {
    const root = newRoot()
    const diffIds = ['kept', 'gone', 'lost'].map((text) => asDiffId(digestOf(text)))
    await withStore(root, async (store) => {
      await putImage(store, 'kept', 'localhost/a:1')
      for (const diffId of diffIds) {
        const note = join(store.temporary().path, 'note')
        writeFileSync(note, 'x'.repeat(5000))
        store.contents.adopt(note, diffId)
      }
      for (const [at, size] of [4, 4].entries()) {
        const made = store.temporary().path
        writeFileSync(join(made, 'file'), `${at}`)
        const diffId = diffIds[at]
        assert.ok(diffId)
        await store.layers.commitDirectory(made, { diffId, size })
      }
    })
    assert.equal(total(await itemsIn(root)), diskUse(root))
    await collected(root, NOT_ALL)
    const left = diffIds.filter((diffId) => existsSync(join(root, 'contents', hexOf(diffId))))
    assert.deepEqual(left, diffIds.slice(0, 1))
  })

  it('takes cache mounts that no step has, and what builds have left', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      const request = (id: string) => ({
        ...{ identity: { id }, label: id, sharing: 'shared' as const },
        fill: async (folder: string) => writeFileSync(join(folder, 'file'), 'x'.repeat(10_000)),
      })
      {
        await using _ = await store.mounts.open([request('free')])
      }
      await using _ = await store.mounts.open([request('held')])
      mkdirSync(join(root, 'layers', 'leftover'))
      writeFileSync(join(root, 'corrupt', 'damaged'), '')
      const gone = await collected(root, NOT_ALL)
      assert.deepEqual(gone.map(({ description }) => description).toSorted(), [
        'cache mount free',
        'left by a build that ended',
      ])
      const more = await collected(root, ALL)
      assert.deepEqual(
        more.map(({ description }) => description),
        ['damaged: damaged'],
      )
    })
    assert.equal((await collected(root, ALL)).length, 1)
    await withStore(root, async (store) => {
      const fill = async (): Promise<void> => undefined
      await using opened = await store.mounts.open([
        { identity: { id: 'free' }, label: 'free', sharing: 'locked', fill },
      ])
      assert.deepEqual(readdirSync(opened.paths[0] ?? ''), [])
    })
  })

  it('enforces limits without a look at what is within them', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      await putStep(store, 'one')
      const record = store.records.find(keyOf('one'))
      assert.ok(record)
      store.records.put({ ...record, milliseconds: 60_000 })
      await putImage(store, 'x'.repeat(500_000))
    })
    const enforce = (maxUsed: number) =>
      withStore(root, (store) => new Collector(store).enforce({ maxUsed }))
    assert.deepEqual(await enforce(10_000_000), [])
    const gone = await enforce(600_000)
    assert.ok(gone.length > 0)
    await withStore(root, async (store) => {
      assert.ok(total(await new Collector(store).items()) <= 600_000)
      assert.ok(store.records.find(keyOf('one')), 'it is worth more a byte')
    })
  })

  it('takes what layers were packed to by itself, first, and with the layer', async () => {
    const root = newRoot()
    const text = 'x'.repeat(50_000)
    const diffId = asDiffId(digestOf(text))
    const packed = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf('p'), size: 20_000 }
    async function keep(store: Store): Promise<void> {
      const file = join(store.temporary().path, 'packed')
      writeFileSync(file, 'p'.repeat(20_000))
      store.blobs.keep(file, packed)
      store.layers.register({ diffId, size: text.length, presumed: undefined })
      store.layers.addPacked(diffId, { ...packed, packing: 'gzip' })
    }
    const isThere = () =>
      withStore(root, (store) => store.blobs.statSpare(packed.digest) === 20_000)
    await withStore(root, async (store) => {
      await putStep(store, 'a step')
      const record = store.records.find(keyOf('a step'))
      assert.ok(record)
      store.records.put({ ...record, milliseconds: 1000 })
      await putImage(store, text, 'localhost/a:1')
      await keep(store)
      assert.deepEqual(await collected(root, { ...NOT_ALL, limits: { maxUsed: 1 } }), [])
    })
    assert.equal(total(await itemsIn(root)), diskUse(root), 'it counts')
    const used = total(await itemsIn(root))
    const limits = { maxUsed: used - 1 }
    const [first, ...more] = await collected(root, { ...NOT_ALL, limits })
    assert.equal(first?.description, 'packed layer')
    assert.ok(first.bytes >= 20_000)
    assert.deepEqual([more, await isThere()], [[], false])
    // What it was is known still, so a registry may be asked for it.
    await withStore(root, async (store) => {
      assert.deepEqual(store.layers.compressed(diffId), [packed])
      await keep(store)
    })
    const only = (name: string) => ({
      ...ALL,
      matches: (one: StoreItem) => one.description === name,
    })
    assert.equal((await collected(root, only('packed layer'))).length, 1)
    await withStore(root, async (store) => {
      await keep(store)
      await store.images.remove('localhost/a:1')
    })
    const gone = await collected(root, ALL)
    assert.ok(gone.some(({ description }) => description === 'packed layer'))
    await withStore(root, (store) => {
      assert.deepEqual(
        [store.layers.compressed(diffId), store.layers.packings(diffId).size],
        [[], 0],
      )
    })
    assert.deepEqual(readdirSync(join(root, 'blobs/sha256')), [])
  })

  it('measures cache mounts anew once they were used', async () => {
    const root = newRoot()
    const put = (bytes: number) =>
      withStore(root, async (store) => {
        const request = { identity: { id: 'c' }, label: 'c', sharing: 'shared' } as const
        await using mounts = await store.mounts.open([{ ...request, fill: async () => undefined }])
        writeFileSync(join(mounts.paths[0] ?? '', 'file'), 'x'.repeat(bytes))
      })
    const enforce = (maxUsed: number) =>
      withStore(root, (store) => new Collector(store).enforce({ maxUsed }))
    await put(1000)
    assert.deepEqual(await enforce(3_000_000), [])
    await put(5_000_000)
    const gone = await enforce(3_000_000)
    assert.deepEqual(
      gone.map(({ description }) => description),
      ['cache mount c'],
    )
    assert.deepEqual(await enforce(3_000_000), [])
  })

  it('is done by one process at a time', async () => {
    const root = newRoot()
    await withStore(root, (store) => putStep(store, 'one'))
    await using first = openStore(root)
    await using second = openStore(root)
    const collectors = [new Collector(first), new Collector(second)]
    const all = await Promise.all(collectors.map((collector) => collector.remove(ALL)))
    assert.deepEqual(all.map(({ length }) => length).toSorted(), [0, 1])
  })
})
