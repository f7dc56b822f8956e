import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type LayerId, openStore, type Store, wholeLayerId } from '#cache'
import { asDiffId, digestOf, hexOf } from '#core'
import { sumOf } from '../../../cache/records/schema.ts'
import { newRoot, pretendReboot, removeRoots, withStore } from '../support.ts'

const baseId = asDiffId(digestOf('a layer'))
const diffId = asDiffId(digestOf('its next version'))

describe('layers of differences', () => {
  let store: Store

  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  function folderIn(place: string): string {
    const made = join(place, 'fs')
    mkdirSync(made)
    writeFileSync(join(made, 'file'), 'text')
    return made
  }

  async function commit(): Promise<{ readonly base: LayerId; readonly id: LayerId }> {
    await using one = store.temporary()
    await using other = store.temporary()
    const facts = { diffId: baseId, size: 10 }
    const { id: base } = await store.layers.commitDirectory(folderIn(one.path), facts)
    return { base, id: store.layers.commitDifferences(folderIn(other.path), base).id }
  }

  it('are layers on top of another one', async () => {
    const { base, id } = await commit()
    assert.deepEqual(store.layers.get(id), { id, directory: false, differsFrom: base })
    assert.equal(store.layers.isPresent(id), true)
  })

  it('keep their id and both folders when their content is known', async () => {
    const { base, id } = await commit()
    const named = store.layers.identify(id, { diffId, size: 7 }, [])
    assert.deepEqual(named, { id, diffId, size: 7, directory: false, differsFrom: base })
    assert.deepEqual(store.layers.get(id), named)
  })

  it('are missing without the other one', async () => {
    const { base, id } = await commit()
    store.layers.setTar(id, { diffId, size: 7 })
    await using aside = store.temporary()
    store.layers.discard(base, aside.path)
    assert.deepEqual(store.layers.get(id), { id, diffId, size: 7, directory: false })
    assert.equal(store.layers.isPresent(id), false)
  })

  it('never have a whole folder under their id', async () => {
    const { base, id } = await commit()
    assert.equal(wholeLayerId({ id, diffId }), hexOf(diffId))
    assert.equal(wholeLayerId({ id: base, diffId: baseId }), base)
  })

  it('survive a reboot once they were synced, like the other one', async () => {
    const { base, id } = await commit()
    await store.sync()
    pretendReboot(store.root)
    await withStore(store.root, (again) => assert.equal(again.layers.get(id)?.differsFrom, base))
  })

  it('do not exist for an older tsbuild, which takes their folder for all of the layer', async () => {
    const { base, id } = await commit()
    store.layers.setTar(id, { diffId, size: 7 })
    using database = new DatabaseSync(join(store.root, 'tsbuild.db'))
    const sumIn = (layer: LayerId) =>
      database.prepare('SELECT sum FROM layers WHERE id = ?').get(layer)?.sum
    assert.equal(sumIn(base), sumOf(base, baseId, 10))
    assert.notEqual(sumIn(id), sumOf(id, diffId, 7))
  })
})
