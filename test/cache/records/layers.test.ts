import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { layerId, openStore, type Store, stackLayerId } from '#cache'
import { asDiffId, digestOf, hexOf, MEDIA_TYPES, ownersFileOf } from '#core'
import { keyOf, newRoot, pretendReboot, putStep, removeRoots, withStore } from '../support.ts'

const diffId = asDiffId(digestOf('a layer'))
const gzip = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf('gz'), size: 20 }

describe('cache layers', () => {
  let store: Store

  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  async function commit(text: string, facts?: Parameters<Store['layers']['commitDirectory']>[1]) {
    await using folder = store.temporary()
    const made = join(folder.path, 'fs')
    mkdirSync(made)
    writeFileSync(join(made, 'file'), text)
    return await store.layers.commitDirectory(made, facts)
  }

  it('get a random id when nothing is known of them', async () => {
    const [one, two] = [await commit('one'), await commit('two')]
    assert.match(one.id, /^[a-z0-9]{20}$/)
    assert.notEqual(one.id, two.id)
    assert.deepEqual(store.layers.get(one.id), { id: one.id, directory: true })
    assert.equal(readFileSync(join(store.layers.directory(two.id), 'file'), 'utf8'), 'two')
    assert.equal(store.layers.get(layerId('unknown')), undefined)
  })

  it('with a diffID are named after it and found by it', async () => {
    const layer = await commit('x', { diffId, size: 10 })
    assert.deepEqual(layer, { id: hexOf(diffId), diffId, size: 10, directory: true })
    assert.deepEqual(store.layers.findByDiffId(diffId), layer)
    assert.equal(store.layers.findByDiffId(asDiffId(digestOf('other'))), undefined)
  })

  it('committed twice keep the first folder', async () => {
    await commit('first', { diffId, size: 10 })
    await commit('second', { diffId, size: 10 })
    assert.equal(
      readFileSync(join(store.layers.directory(layerId(hexOf(diffId))), 'file'), 'utf8'),
      'first',
    )
    assert.equal(readdirSync(join(store.root, 'layers')).length, 1)
  })

  it('get the facts of their tar later', async () => {
    const layer = await commit('x')
    assert.deepEqual(store.layers.setTar(layer.id, { diffId, size: 7 }), {
      ...layer,
      diffId,
      size: 7,
    })
    assert.deepEqual(store.layers.findByDiffId(diffId)?.id, layer.id)
    assert.deepEqual(store.layers.register({ diffId, size: 7 }).id, layer.id)
  })

  it('start as a tar and get a folder later', async () => {
    const tar = store.layers.register({ diffId, size: 7 })
    assert.deepEqual(tar, { id: hexOf(diffId), diffId, size: 7, directory: false })
    await commit('x', { id: tar.id })
    assert.deepEqual(store.layers.get(tar.id), { ...tar, directory: true })
  })

  it('whose folder was taken away are without one, and can have one again', async () => {
    const layer = await commit('x', { diffId })
    rmSync(store.layers.directory(layer.id), { recursive: true })
    assert.equal(store.layers.get(layer.id)?.directory, false)
    writeFileSync(store.layers.directory(layer.id), 'a file')
    assert.equal(store.layers.get(layer.id)?.directory, false)
    assert.equal((await commit('y', { diffId })).directory, true)
  })

  describe('named by their content', () => {
    const tar = { diffId, size: 7 }
    const base = asDiffId(digestOf('base'))

    it('are found by both names, and keep their folder where it is', async () => {
      const { id } = await commit('x')
      const folder = store.layers.directory(id)
      const named = store.layers.identify(id, tar, [base])
      assert.deepEqual(named, { id: stackLayerId([base, diffId]), ...tar, directory: true })
      assert.deepEqual(store.layers.get(id), named)
      assert.deepEqual(store.layers.findByDiffId(diffId), named)
      assert.equal(store.layers.directory(named.id), folder)
      assert.equal(store.layers.isPresent(id), true)
    })

    it('are one where they are equal and lie on the same', async () => {
      const [one, two] = [await commit('x'), await commit('x')]
      const named = store.layers.identify(one.id, tar, [base])
      assert.deepEqual(store.layers.identify(two.id, tar, [base]), named)
      assert.equal(store.layers.directory(two.id), store.layers.directory(one.id))
      assert.ok(existsSync(join(store.root, 'layers', two.id)), 'a mount may use it')
    })

    it('are apart where they lie on something else', async () => {
      const [one, two] = [await commit('x'), await commit('x')]
      store.layers.identify(one.id, tar, [base])
      const other = store.layers.identify(two.id, tar, [])
      assert.notEqual(store.layers.get(one.id)?.id, other.id)
      assert.notEqual(store.layers.directory(one.id), store.layers.directory(two.id))
    })

    it('do not stand for a copy of the same content', async () => {
      const { id } = await commit('x')
      store.layers.identify(id, tar, [base])
      assert.deepEqual(store.layers.register(tar), {
        id: layerId(hexOf(diffId)),
        ...tar,
        directory: false,
      })
    })

    it('keep the newest folder over a reboot, and remove the others', async () => {
      const [one, two] = [await commit('x'), await commit('x')]
      for (const { id } of [one, two]) store.layers.identify(id, tar, [])
      await store.sync()
      const { root } = store
      await store[Symbol.asyncDispose]()
      pretendReboot(root)
      store = openStore(root)
      assert.deepEqual(readdirSync(join(root, 'layers')), [two.id])
      assert.deepEqual(store.layers.get(two.id), store.layers.get(one.id))
      assert.equal(store.layers.get(two.id)?.directory, true)
    })

    it('have no folder when its name is damaged', async () => {
      const { id } = await commit('x')
      const named = store.layers.identify(id, tar, [base])
      const { root } = store
      await store[Symbol.asyncDispose]()
      const database = new DatabaseSync(join(root, 'tsbuild.db'))
      database.exec("UPDATE renamed SET name = 'X' || name")
      database.close()
      store = openStore(root)
      assert.deepEqual(store.layers.get(named.id), { ...named, directory: false })
      assert.equal(store.layers.directory(named.id), join(root, 'layers', named.id))
      assert.deepEqual(store.layers.findByDiffId(diffId), { ...named, directory: false })
    })

    it('get a new folder when theirs was removed', async () => {
      const { id } = await commit('x')
      const named = store.layers.identify(id, tar, [base])
      rmSync(store.layers.directory(id), { recursive: true })
      assert.equal(store.layers.get(id)?.directory, false)
      await commit('again', { id: named.id })
      assert.equal(store.layers.directory(id), join(store.root, 'layers', named.id))
      assert.equal(store.layers.get(id)?.directory, true)
    })

    it('are discarded by either name', async () => {
      const { id } = await commit('x')
      store.layers.identify(id, tar, [base])
      await using aside = store.temporary()
      store.layers.discard(id, aside.path)
      assert.equal(store.layers.get(id), undefined)
      assert.deepEqual(readdirSync(join(store.root, 'layers')), [])
    })
  })

  it('list their compressed forms', () => {
    assert.deepEqual(store.layers.compressed(diffId), [])
    store.layers.addCompressed(diffId, gzip)
    store.layers.addCompressed(diffId, { ...gzip, annotations: { a: 'b' } })
    assert.deepEqual(store.layers.compressed(diffId), [gzip])
  })

  it('never get an id that leaves their folder', () => {
    for (const text of ['', '..', 'a/b', 'A', 'x'.repeat(65), 'a\n']) {
      assert.throws(() => layerId(text), RangeError)
    }
  })

  it('after a reboot are those that were synced', async () => {
    await putStep(store, 'synced')
    await store.sync()
    await putStep(store, 'unsynced')
    const { root } = store
    await store[Symbol.asyncDispose]()
    mkdirSync(join(root, 'layers', 'orphan'))
    pretendReboot(root)
    await withStore(root, (next) => {
      assert.ok(next.records.find(keyOf('synced')))
      assert.equal(next.records.find(keyOf('unsynced')), undefined)
      assert.equal(readdirSync(join(root, 'layers')).length, 1)
    })
    assert.equal(existsSync(join(root, 'layers', 'orphan')), false)
    store = openStore(root)
    assert.ok(store.records.find(keyOf('synced')))
  })

  it('survive the death of their process without being synced', async () => {
    await putStep(store, 'made')
    await withStore(store.root, (other) => assert.ok(other.records.find(keyOf('made'))))
  })

  describe('with owners beside the folder', () => {
    const facts = { diffId, size: 10 }

    async function made<T>(text: string, owners: string | undefined, use: (path: string) => T) {
      await using folder = store.temporary()
      const path = join(folder.path, 'fs')
      mkdirSync(path)
      writeFileSync(join(path, 'file'), text)
      if (owners !== undefined) writeFileSync(ownersFileOf(path), owners)
      return await use(path)
    }

    const commitWith = (text: string, owners?: string) =>
      made(text, owners, (path) => store.layers.commitDirectory(path, facts))

    /** What is in the folders of layers, by name. */
    function found(): readonly string[] {
      return readdirSync(join(store.root, 'layers')).map((name) => {
        const path = join(store.root, 'layers', name)
        const isOwners = name.endsWith('.owners')
        return `${isOwners ? 'owners' : 'folder'} ${readFileSync(isOwners ? path : join(path, 'file'), 'utf8')}`
      })
    }

    it('keep them, like the first folder', async () => {
      await commitWith('first', '1:1 file\0')
      assert.deepEqual(found(), ['folder first', 'owners 1:1 file\0'])
      await commitWith('second', '2:2 file\0')
      assert.deepEqual(found(), ['folder first', 'owners 1:1 file\0'])
    })

    it('have none of those that an incomplete commit left', async () => {
      writeFileSync(ownersFileOf(store.layers.directory(layerId(hexOf(diffId)))), '9:9 file\0')
      await commitWith('plain')
      assert.deepEqual(found(), ['folder plain'])
    })

    it('change them with the folder', async () => {
      const { id } = await commitWith('first', '1:1 file\0')
      for (const [text, owners] of [
        ['second', '2:2 file\0'],
        ['third', undefined],
      ] as const) {
        await using aside = store.temporary()
        await made(text, owners, (path) => store.layers.replaceDirectory(id, path, aside.path))
        const rest = owners === undefined ? [] : [`owners ${owners}`]
        assert.deepEqual(found(), [`folder ${text}`, ...rest])
      }
    })

    it('remove them with the folder', async () => {
      const { id } = await commitWith('first', '1:1 file\0')
      await using aside = store.temporary()
      store.layers.discard(id, aside.path)
      assert.deepEqual(found(), [])
    })

    it('keep them over a reboot, when they were synced', async () => {
      await commitWith('synced', '1:1 file\0')
      await store.sync()
      const other = asDiffId(digestOf('other'))
      await made('unsynced', '2:2 file\0', (path) =>
        store.layers.commitDirectory(path, { diffId: other, size: 1 }),
      )
      pretendReboot(store.root)
      await store[Symbol.asyncDispose]()
      store = openStore(store.root)
      assert.deepEqual(found(), ['folder synced', 'owners 1:1 file\0'])
    })
  })

  it('say whose owners are presumed, until their tar is made otherwise', async () => {
    const presumed = { count: 4, first: [{ path: '/f', uid: 1, gid: 2 }] }
    const { id } = await commit('x')
    store.layers.setTar(id, { diffId, size: 7, presumed })
    assert.deepEqual(store.layers.presumed(diffId), presumed)
    assert.equal(store.layers.presumed(asDiffId(digestOf('other'))), undefined)
    await using aside = store.temporary()
    store.layers.discard(id, aside.path)
    assert.deepEqual(store.layers.presumed(diffId), presumed)
    store.layers.register({ diffId, size: 7 })
    assert.equal(store.layers.presumed(diffId), undefined)
  })

  it('are named by their content in a database that was made before', async () => {
    const database = new DatabaseSync(join(store.root, 'tsbuild.db'))
    const { id } = await commit('x')
    await putStep(store, 'earlier')
    database.exec('DROP TABLE renamed; DROP TABLE inputs')
    database.close()
    await store[Symbol.asyncDispose]()
    store = openStore(store.root)
    const earlier = store.records.find(keyOf('earlier'))
    assert.ok(earlier?.layer)
    assert.deepEqual(earlier.inputs, [])
    assert.equal(store.layers.get(earlier.layer)?.directory, true)
    assert.equal(store.layers.identify(id, { diffId, size: 7 }, []).directory, true)
    await putStep(store, 'later')
    assert.deepEqual(store.records.find(keyOf('later'))?.inputs, [])
  })

  it('have presumed owners in a database that was made before', async () => {
    const database = new DatabaseSync(join(store.root, 'tsbuild.db'))
    assert.equal(store.layers.get(layerId('none')), undefined)
    database.exec('DROP TABLE presumed')
    database.close()
    await store[Symbol.asyncDispose]()
    store = openStore(store.root)
    const presumed = { count: 1, first: [{ path: '/f', uid: 1, gid: 2 }] }
    store.layers.register({ diffId, size: 7, presumed })
    assert.deepEqual(store.layers.presumed(diffId), presumed)
  })
})
