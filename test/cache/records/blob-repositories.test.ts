import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { Collector, openStore } from '#cache'
import { asDiffId, type Digest, digestOf, MEDIA_TYPES } from '#core'
import { newRoot, removeRoots, withStore } from '../support.ts'

const HOST = 'registry.example:5000'
const BLOB = digestOf('a blob')
const named = (repository: string) => ({ registry: HOST, repository })

describe('repositories that have blobs', () => {
  let root: string
  beforeEach(() => {
    root = newRoot()
  })
  afterEach(removeRoots)

  /** Changes the database as another program would. */
  function edit(sql: string): void {
    const database = new DatabaseSync(`${root}/tsbuild.db`)
    database.exec(sql)
    database.close()
  }
  const find = (digest: Digest = BLOB) =>
    withStore(root, ({ repositories }) => repositories.find(HOST, digest))

  it('are remembered by later processes, for one registry each', async () => {
    await withStore(root, ({ repositories }) => {
      repositories.add(named('team/app'), BLOB)
      repositories.add({ registry: 'other.example', repository: 'other' }, BLOB)
      repositories.add(named('another'), digestOf('another'))
    })
    assert.deepEqual(await find(), ['team/app'])
  })

  it('are there at once, whatever becomes of the process', async () => {
    await using store = openStore(root)
    store.repositories.add(named('app'), BLOB)
    // As a process sees it after the first one was killed.
    assert.deepEqual(await find(), ['app'])
  })

  it('are given with the latest first, four of them', async () => {
    const add = (...names: readonly string[]) =>
      withStore(root, ({ repositories }) => {
        for (const name of names) repositories.add(named(name), BLOB)
      })
    await add('a', 'e', 'c', 'd', 'b')
    assert.deepEqual(await find(), ['b', 'd', 'c', 'e'])
    await add('a', 'c')
    assert.deepEqual(await find(), ['b', 'd', 'c', 'e'], 'that was today')
    edit("UPDATE repositories SET seen = 1 WHERE repository = 'a'")
    await add('a', 'c')
    assert.deepEqual(await find(), ['a', 'b', 'd', 'c'])
  })

  it('are forgotten one by one', async () => {
    await withStore(root, ({ repositories }) => {
      for (const name of ['one', 'two']) repositories.add(named(name), BLOB)
      repositories.forget(named('one'), BLOB)
      repositories.forget(named('never'), BLOB)
    })
    assert.deepEqual(await find(), ['two'])
  })

  it('are bounded: those that were seen last stay', async () => {
    await withStore(root, ({ repositories }) => repositories.add(named('first'), BLOB))
    edit(`WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000)
      INSERT INTO repositories SELECT n, 'sha256:' || n, '${HOST}', 'old', n FROM numbers`)
    await withStore(root, ({ repositories }) => repositories.add(named('new'), BLOB))
    assert.deepEqual(await find(), ['new'])
    assert.deepEqual(await find('sha256:12000' as Digest), ['old'])
    assert.deepEqual(await find('sha256:2002' as Digest), ['old'])
    assert.deepEqual(await find('sha256:2001' as Digest), [])
  })

  it('go with the layers that the blobs hold', async () => {
    const diffId = asDiffId(digestOf('gone'))
    await withStore(root, async ({ blobs, layers, repositories }) => {
      const { size } = await blobs.putBytes(MEDIA_TYPES.ociLayer, Buffer.from('gone'))
      layers.register({ diffId, size })
      layers.addCompressed(diffId, { mediaType: MEDIA_TYPES.ociLayerGzip, digest: BLOB, size: 1 })
      repositories.add(named('app'), BLOB)
      repositories.add(named('app'), digestOf('of a base'))
    })
    await withStore(root, (store) =>
      new Collector(store).remove({ all: true, matches: () => true }),
    )
    await withStore(root, ({ layers }) => assert.equal(layers.findByDiffId(diffId), undefined))
    assert.deepEqual(await find(), [])
    assert.deepEqual(await find(digestOf('of a base')), ['app'])
  })
})
