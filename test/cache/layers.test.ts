import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layerId, openStore, type Store } from '#cache'
import { asDiffId, digestOf, hexOf, MEDIA_TYPES } from '#core'
import { keyOf, newRoot, pretendReboot, putStep, removeRoots, withStore } from './support.ts'

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
    assert.equal(store.layers.get(layerId('nobody')), undefined)
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

  it('learn of their tar later', async () => {
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

  it('know their compressed forms', () => {
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
    await putStep(store, 'lost')
    const { root } = store
    await store[Symbol.asyncDispose]()
    mkdirSync(join(root, 'layers', 'orphan'))
    pretendReboot(root)
    await withStore(root, (next) => {
      assert.ok(next.records.find(keyOf('synced')))
      assert.equal(next.records.find(keyOf('lost')), undefined)
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
})
