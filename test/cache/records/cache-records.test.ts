import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type CacheKey, openStore, type Store } from '#cache'
import { asDiffId, hexOf } from '#core'
import { keyOf, newRoot, putStep, removeRoots, withStore } from '../support.ts'

/** How often this process has read from files. */
function readCalls(): number {
  return Number(/^syscr: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}

describe('cache records', () => {
  let store: Store

  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  function putPlain(name: string): void {
    const family = keyOf('family')
    const preimage = { name, list: [1, null, 'ü'] }
    store.records.put({ key: keyOf(name), family, preimage, layer: undefined, description: name })
  }

  it('are found with everything that was stored, also by another process later', async () => {
    await putStep(store, 'make')
    await withStore(store.root, (other) => {
      const record = other.records.find(keyOf('make'))
      assert.deepEqual(record?.preimage, { name: 'make' })
      assert.equal(record.description, 'RUN make')
      assert.equal(record.key, keyOf('make'))
      assert.ok(Math.abs(Date.now() - record.createdAt.getTime()) < 60_000)
      assert.equal(record.layer && other.layers.get(record.layer)?.directory, true)
      assert.equal(other.records.find(keyOf('make install')), undefined)
    })
  })

  it('exist for steps that changed no file', () => {
    putPlain('true')
    const record = store.records.find(keyOf('true'))
    assert.equal(record?.layer, undefined)
    assert.deepEqual(record?.preimage, { name: 'true', list: [1, null, 'ü'] })
  })

  it('are found by aliases, also by an alias of an alias', () => {
    putPlain('content')
    store.records.link(keyOf('definition'), keyOf('content'))
    store.records.link(keyOf('third'), keyOf('definition'))
    store.records.link(keyOf('content'), keyOf('content'))
    for (const name of ['content', 'definition', 'third']) {
      assert.equal(store.records.find(keyOf(name))?.key, keyOf('content'))
    }
  })

  it('that an earlier tsbuild has put are found, and replaced', () => {
    for (const name of ['earlier', 'content', 'definition']) putPlain(name)
    store.records.link(keyOf('link'), keyOf('earlier'))
    using database = new DatabaseSync(join(store.root, 'tsbuild.db'))
    // SQLite gave rows their numbers in turn.
    database.exec(
      'UPDATE records SET rowid = (SELECT count(*) FROM records AS o WHERE o.key <= records.key)',
    )
    const numbers = () => database.prepare('SELECT rowid FROM records ORDER BY rowid').all()
    assert.deepEqual(
      numbers().map(({ rowid }) => rowid),
      [1, 2, 3],
    )
    for (const name of ['earlier', 'link']) {
      assert.equal(store.records.find(keyOf(name))?.key, keyOf('earlier'))
    }
    putPlain('earlier')
    assert.equal(store.records.find(keyOf('link'))?.description, 'earlier')
    assert.equal(numbers().length, 3)
    assert.ok(Number(numbers()[2]?.rowid) > 1e9)
  })

  it('with the number of another record are never taken for it', () => {
    const one = keyOf('one')
    const other = `${one.slice(0, 13)}${keyOf('other').slice(13)}` as CacheKey
    putPlain('one')
    assert.equal(store.records.find(other), undefined)
    const rest = { family: keyOf('family'), preimage: {}, layer: undefined, description: 'other' }
    store.records.put({ key: other, ...rest })
    assert.equal(store.records.find(other)?.description, 'other')
    assert.equal(store.records.find(one), undefined)
  })

  it('are found by reading hardly more than their own page, however many there are', async () => {
    const [count, asked] = [3000, 40]
    for (let index = 0; index < count; index += 1) putPlain(`${index} ${'x'.repeat(400)}`)
    await withStore(store.root, ({ records }) => {
      records.find(keyOf('none'))
      const before = readCalls()
      for (let index = 0; index < count; index += count / asked) {
        assert.ok(records.find(keyOf(`${index} ${'x'.repeat(400)}`)))
      }
      const reads = (readCalls() - before) / asked
      assert.ok(reads > 0.5 && reads < 1.3, `${reads}`)
    })
  })

  it('of their own win over aliases', () => {
    putPlain('content')
    store.records.link(keyOf('definition'), keyOf('content'))
    putPlain('definition')
    assert.equal(store.records.find(keyOf('definition'))?.key, keyOf('definition'))
    putPlain('definition')
    assert.equal(store.records.find(keyOf('definition'))?.description, 'definition')
  })

  it('show whether any version of a step was ever built', () => {
    assert.equal(store.records.hasFamily(keyOf('family')), false)
    putPlain('version one')
    assert.equal(store.records.hasFamily(keyOf('family')), true)
  })

  it('are dropped when their layer is missing', async () => {
    await putStep(store, 'make')
    const layer = store.records.find(keyOf('make'))?.layer
    assert.ok(layer)
    rmSync(store.layers.directory(layer), { recursive: true })
    assert.equal(store.records.find(keyOf('make')), undefined)
    await putStep(store, 'make')
    assert.ok(store.records.find(keyOf('make')))
  })

  it('hold on to a layer that exists only as a tar or compressed', async () => {
    const tar = Buffer.from('not much of a tar')
    const { digest, size } = await store.blobs.putBytes('application/x-tar', tar)
    const diffId = store.layers.register({ diffId: asDiffId(digest), size }).diffId
    assert.ok(diffId)
    const layer = store.layers.findByDiffId(diffId)?.id
    const entry = {
      key: keyOf('copy'),
      family: keyOf('f'),
      preimage: {},
      description: 'COPY',
      layer,
    }
    store.records.put(entry)
    assert.equal(store.records.find(keyOf('copy'))?.layer, hexOf(diffId))
    const gzip = await store.blobs.putBytes('application/gzip', Buffer.from('smaller'))
    store.layers.addCompressed(diffId, gzip)
    store.blobs.delete(digest)
    assert.ok(store.records.find(keyOf('copy')))
    store.blobs.delete(gzip.digest)
    assert.equal(store.records.find(keyOf('copy')), undefined)
  })

  it('have the keys of their inputs, unless an older tsbuild has put them again', async () => {
    const inputs = [keyOf('root'), keyOf('source')]
    const createdAt = new Date(1_700_000_000_000)
    const facts = { family: keyOf('f'), preimage: {}, layer: undefined, description: 'COPY' }
    store.records.put({ key: keyOf('copy'), ...facts, inputs, createdAt })
    const record = store.records.find(keyOf('copy'))
    assert.deepEqual(record?.inputs, inputs)
    assert.deepEqual(record.createdAt, createdAt)
    const database = new DatabaseSync(join(store.root, 'tsbuild.db'))
    database.exec("UPDATE inputs SET inputs = '[]'")
    database.close()
    assert.deepEqual(store.records.find(keyOf('copy'))?.inputs, [])
  })

  it('remember their use to the hour, when the store is closed', async () => {
    putPlain('old')
    const { root } = store
    await store[Symbol.asyncDispose]()
    const database = new DatabaseSync(join(root, 'tsbuild.db'))
    database.exec('UPDATE records SET used = 1000')
    database.close()
    await withStore(root, (next) => {
      assert.equal(next.records.find(keyOf('old'))?.lastUsedAt.getTime(), 1000)
    })
    store = openStore(root)
    const used = store.records.find(keyOf('old'))?.lastUsedAt.getTime() ?? 0
    assert.ok(Date.now() - used < 60_000)
  })

  it('with a value that changed on the disk are dropped', async () => {
    await putStep(store, 'make')
    putPlain('other')
    const { root } = store
    await store[Symbol.asyncDispose]()
    const database = new DatabaseSync(join(root, 'tsbuild.db'))
    database.exec(`UPDATE records SET preimage = '{"name":"male"}' WHERE description = 'RUN make'`)
    database.close()
    store = openStore(root)
    assert.equal(store.records.find(keyOf('make')), undefined)
    assert.ok(store.records.find(keyOf('other')))
  })
})
