import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, type Store, stackLayerId } from '#cache'
import { asDiffId, digestOf } from '#core'
import { resultCacheSuite } from '../../suites/result-cache.ts'
import { keyOf, newRoot, putStep, removeRoots } from '../support.ts'

describe('results in the store', () => {
  let store: Store

  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  resultCacheSuite('local store', async () => {
    await using folder = store.temporary()
    mkdirSync(join(folder.path, 'layer'))
    const { id } = await store.layers.commitDirectory(join(folder.path, 'layer'))
    return { cache: store.results, layer: id }
  })

  it('have the identity of their layer as soon as it is packed', async () => {
    await putStep(store, 'make')
    const find = () => store.results.find([keyOf('make')])
    const [before] = await find()
    assert.ok(before?.layer.kind === 'stored')
    assert.equal(before.layer.diffId, undefined)
    const diffId = asDiffId(digestOf('a layer'))
    store.layers.identify(before.layer.id, { diffId, size: 7 }, [])
    const [after] = await find()
    const id = stackLayerId([diffId])
    assert.deepEqual(after?.layer, { kind: 'stored', id, diffId, size: 7 })
    assert.notEqual(id, before.layer.id)
  })
})
