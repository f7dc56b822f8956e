import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type NewBuildTrace, openStore, type Store } from '#cache'
import { newRoot, removeRoots, withStore } from '../support.ts'

describe('traces of builds', () => {
  let store: Store
  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  const put = (context: string, dockerfile: string, number: number): number | undefined => {
    const trace: NewBuildTrace = {
      ...{ context, dockerfile, createdAt: new Date(number) },
      document: { number, text: 'ü' },
    }
    return store.traces.put(trace)?.id
  }
  const numbers = (query: Partial<Parameters<Store['traces']['find']>[0]> = {}): unknown[] =>
    store.traces
      .find({ limit: 1000, ...query })
      .map(({ document }) => (document as { readonly number: number }).number)

  it('are found with everything that was stored, the newest first, also by another process', async () => {
    put('/a', '/a/Dockerfile', 1)
    put('/b', '/b/Dockerfile', 2)
    await withStore(store.root, (other) => {
      const [newest, oldest] = other.traces.find({ limit: 9 })
      assert.ok(newest !== undefined && oldest !== undefined && newest.id > oldest.id)
      const { id: _, ...rest } = oldest
      assert.deepEqual(rest, {
        ...{ context: '/a', dockerfile: '/a/Dockerfile', createdAt: new Date(1) },
        document: { number: 1, text: 'ü' },
      })
    })
  })

  it('are found by context, by Dockerfile, by what was before, and no more than asked for', () => {
    put('/a', 'one', 1)
    put('/a', 'two', 2)
    const third = put('/b', 'one', 3)
    assert.deepEqual(numbers(), [3, 2, 1])
    assert.deepEqual(numbers({ context: '/a' }), [2, 1])
    assert.deepEqual(numbers({ dockerfile: 'one' }), [3, 1])
    assert.deepEqual(numbers({ context: '/a', dockerfile: 'two' }), [2])
    assert.deepEqual(numbers({ before: third }), [2, 1])
    assert.deepEqual(numbers({ limit: 1 }), [3])
    assert.deepEqual(numbers({ context: '/' }), [])
  })

  it('are four of each Dockerfile', () => {
    put('/b', 'one', 0)
    for (let number = 1; number <= 7; number++) put('/a', 'one', number)
    assert.deepEqual(numbers(), [7, 6, 5, 4, 0])
  })

  it('are no more than 128 in all', () => {
    for (let number = 0; number < 140; number++) put(`/${number}`, 'one', number)
    const left = numbers()
    assert.equal(left.length, 128)
    assert.deepEqual([left[0], left.at(-1)], [139, 12])
  })

  it('are left out when they are damaged, and not stored when they are huge', () => {
    put('/a', 'one', 1)
    put('/a', 'one', 2)
    const database = new DatabaseSync(join(store.root, 'tsbuild.db'))
    database.exec(`UPDATE traces SET document = replace(document, '2', '3') WHERE created = 2`)
    database.close()
    assert.deepEqual(numbers(), [1])
    const document = 'x'.repeat(2 << 20)
    const huge = { context: '/a', dockerfile: 'one', createdAt: new Date(3), document }
    assert.equal(store.traces.put(huge), undefined)
    assert.deepEqual(numbers(), [1])
  })
})
