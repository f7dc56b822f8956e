import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { cacheKeyOf, openStore } from '#cache'
import { putShell, SHELL_BASE } from './support/shell-base.ts'
import { Workplace } from './support/workplace.ts'

/**
 * What SQLite says of a query that looks at every row of a table. `current` is one row by itself, and of
 * `traces` there are never more than 128.
 */
const SCAN = /^SCAN (?!CONSTANT ROW|current\b|traces\b)/

/** Runs `work`, and gives every query that it has prepared. */
async function queriesOf(work: () => Promise<void>): Promise<readonly string[]> {
  const queries = new Set<string>()
  const { prepare } = DatabaseSync.prototype
  DatabaseSync.prototype.prepare = function (sql, ...options) {
    queries.add(sql)
    return prepare.call(this, sql, ...options)
  }
  try {
    await work()
  } finally {
    DatabaseSync.prototype.prepare = prepare
  }
  return [...queries]
}

function isOfRepositories(query: string): boolean {
  return /\brepositories\b/.test(query)
}

function plansOf(database: DatabaseSync, query: string): readonly string[] {
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${query}`).all()
  return rows.map(({ detail }) => String(detail))
}

describe('queries of a build', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    at.put({ a: '1' })
    // A new store is looked over as a whole, like any after a reboot.
    await using _ = openStore(at.path('store'))
  })
  after(() => at[Symbol.asyncDispose]())

  const build = async (): Promise<void> => {
    await at.build([
      ...SHELL_BASE,
      'FROM base',
      'COPY a /a',
      '# cache=ttl:1h',
      'RUN cat /a > /b',
      'FROM scratch',
      'COPY --from=1 /b /b',
      'WORKDIR /w',
    ])
  }

  it('look at no more for more records: none goes over a whole table', async () => {
    const queries = await queriesOf(async () => {
      await build()
      await build()
      at.put({ a: '2' })
      await build()
      await using store = openStore(at.path('store'))
      store.records.ofFamily(cacheKeyOf({ none: true }))
      for (const olderThan of [undefined, 0]) {
        await store.layers.sync(olderThan === undefined ? {} : { olderThan })
      }
    })
    using database = new DatabaseSync(at.path('store/tsbuild.db'), { readOnly: true })
    const explained = queries.filter((query) => /^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(query))
    assert.ok(explained.length >= 20, explained.join('\n'))
    const scans = explained.flatMap((query) =>
      plansOf(database, query)
        .filter((plan) => SCAN.test(plan))
        .map((plan) => `${plan}: ${query}`),
    )
    assert.deepEqual(scans, [])
  })

  it('say nothing of repositories, unless something is pulled or pushed', async () => {
    const queries = await queriesOf(build)
    assert.ok(queries.length > 5)
    assert.deepEqual(queries.filter(isOfRepositories), [])
    const push = async (): Promise<void> => {
      const outputs = [{ type: 'registry' }] as const
      await at.build(['FROM scratch', 'COPY a /a'], { tags: [at.at('app')], outputs })
    }
    assert.ok((await queriesOf(push)).some(isOfRepositories))
  })

  it('would be noticed if one did', () => {
    using database = new DatabaseSync(at.path('store/tsbuild.db'), { readOnly: true })
    for (const query of [
      'SELECT * FROM records WHERE description = ?',
      'SELECT * FROM layers WHERE directory & ?',
      'SELECT * FROM aliases WHERE key = ?',
    ]) {
      assert.ok(
        plansOf(database, query).some((plan) => SCAN.test(plan)),
        query,
      )
    }
  })
})
