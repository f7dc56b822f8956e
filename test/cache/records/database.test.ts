import assert from 'node:assert/strict'
import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keyOf, newRoot, putStep, removeRoots, withStore } from '../support.ts'

describe('the log of the database', () => {
  afterEach(removeRoots)

  it('stays when the store is closed, with what was written', async () => {
    const root = newRoot()
    const log = join(root, 'tsbuild.db-wal')
    await withStore(root, (store) => putStep(store, 'a'))
    const { size } = statSync(log)
    assert.ok(size > 0)
    await withStore(root, (store) => assert.ok(store.records.find(keyOf('a'))))
    assert.equal(statSync(log).size, size)
    await withStore(root, (store) => putStep(store, 'b'))
    assert.ok(statSync(log).size > size)
    await withStore(root, (store) => {
      assert.ok(store.records.find(keyOf('a')))
      assert.ok(store.records.find(keyOf('b')))
    })
  })

  it('is moved into the database when it is large', async () => {
    const root = newRoot()
    const log = join(root, 'tsbuild.db-wal')
    let builds = 0
    do {
      assert.ok(builds < 500)
      await withStore(root, (store) => putStep(store, `${builds}`))
      builds++
    } while (existsSync(log))
    assert.ok(builds > 3)
    await withStore(root, (store) => assert.ok(store.records.find(keyOf('0'))))
  })

  it('is not taken for that of a new database', async () => {
    const root = newRoot()
    const database = join(root, 'tsbuild.db')
    await withStore(root, (store) => putStep(store, 'a'))
    rmSync(database)
    await withStore(root, (store) => assert.equal(store.records.find(keyOf('a')), undefined))
  })
})
