import assert from 'node:assert/strict'
import { type CacheKey, layerId, openStore, type ResultCache, stackLayerId } from '#cache'
import { TsbuildError } from '#core'
import { resultCacheSuite } from '../../suites/result-cache.ts'
import { MemoryResults } from './memory-results.ts'
import { type Bench, bench, type Solved } from './support.ts'

resultCacheSuite('memory', async () => ({ cache: new MemoryResults(), layer: layerId('layer') }))

describe('solver and its cache of results', () => {
  let at: Bench
  afterEach(() => at[Symbol.dispose]())

  const chain = ['FROM scratch', ...Array.from({ length: 8 }, (_, n) => `RUN write f${n} ${n}`)]

  it('asks for a chain of steps in one call', async () => {
    const cache = new MemoryResults()
    at = bench(() => cache)
    await at.solve(chain.join('\n'))
    assert.equal(cache.calls.put, 8)
    cache.calls.find = 0
    const { ran, cached } = await at.solve(chain.join('\n'))
    assert.deepEqual(ran, [])
    assert.equal(cached.length, 8)
    assert.equal(cache.calls.find, 1)
  })

  it('asks for a number of keys that grows with a chain of copies, not with its square', async () => {
    const cache = new MemoryResults()
    at = bench(() => cache)
    const copies = Array.from({ length: 30 }, (_, n) => `COPY --from=one /f /f${n}`)
    const text = ['FROM scratch AS one', 'RUN write f 1', 'FROM scratch', ...copies].join('\n')
    await at.solve(text)
    cache.calls.keys = 0
    assert.deepEqual((await at.solve(text)).ran, [])
    assert.ok(cache.calls.keys > 0 && cache.calls.keys < 4 * copies.length, `${cache.calls.keys}`)
  })

  it('asks again only behind files of the context', async () => {
    const cache = new MemoryResults()
    at = bench(() => cache)
    at.put('a', 'a')
    at.put('b', 'b')
    const text = [
      'FROM scratch AS one\nRUN write x 1\nRUN write y 1',
      'FROM scratch\nCOPY a /\nRUN write z 1\nCOPY --from=one / /\nCOPY b /\nRUN write end 1',
    ].join('\n')
    assert.equal((await at.solve(text)).ran.length, 4)
    for (const [noCache, calls] of [
      [false, 2],
      [true, 0],
    ] as const) {
      cache.calls.find = 0
      const { ran } = await at.solve(text, { noCache })
      assert.equal(ran.length, noCache ? 4 : 0)
      assert.equal(cache.calls.find, calls)
    }
  })

  it('asks for the families of copies from the context in one call, and for each once', async () => {
    const cache = new MemoryResults()
    at = bench(() => cache)
    at.put('a', 'a')
    at.put('b', 'b')
    const stages = 'FROM scratch AS one\nCOPY a /\nRUN write x 1\nFROM scratch\nCOPY b /'
    for (const { ran, calls } of [
      // RUN and COPY --from have a call each, for the reason of their execution.
      { ran: 1, calls: 3 },
      { ran: 0, calls: 1 },
    ]) {
      cache.calls.families = 0
      assert.equal((await at.solve(`${stages}\nCOPY --from=one /x /x`)).ran.length, ran)
      assert.equal(cache.calls.families, calls)
    }
  })

  it('takes the first candidate whose layer is in the store', async () => {
    const cache = new MemoryResults()
    const find: ResultCache['find'] = async (keys) => {
      const found = await cache.find(keys)
      const id = layerId('missing')
      const missing = { kind: 'stored', id, diffId: undefined, size: undefined } as const
      return found.flatMap((candidate) => [{ ...candidate, layer: missing }, candidate])
    }
    at = bench(() => ({ ...wrapped(cache), find }))
    await at.solve('FROM scratch\nRUN write x 1')
    assert.deepEqual((await at.solve('FROM scratch\nRUN write x 1')).ran, [])
  })

  it('goes on without a cache that fails, and says so once', async () => {
    at = bench(() => failing({ isRequired: false }))
    at.put('a', 'a')
    const text = 'FROM scratch\nCOPY a /a\nRUN write x 1\nRUN write y 1'
    for (const solved of [await at.solve(text), await at.solve(text)]) {
      assert.equal(solved.ran.length, 2)
      assert.deepEqual(warningsOf(solved), [
        'the cache of results does not answer, so steps may run again: out of reach',
      ])
    }
  })

  it('does what two stages have in common once, also where the cache fails', async () => {
    at = bench(() => failing({ isRequired: false }))
    const stage = (name: string): string => `FROM scratch AS ${name}\nRUN sleep 50;write x 1\n`
    const copies = 'FROM scratch\nCOPY --from=a / /a\nCOPY --from=b / /b'
    assert.equal((await at.solve(stage('a') + stage('b') + copies)).ran.length, 1)
  })

  it('has one layer for steps that leave the same on the same layers', async () => {
    let root = ''
    const keys: CacheKey[] = []
    at = bench(({ results, root: path }) => {
      root = path
      const put: ResultCache['put'] = async (result) => {
        keys.push(result.key)
        await results.put(result)
      }
      return { ...wrapped(results), put }
    })
    const stages = ['a', 'b'].map((name, n) => `FROM scratch AS ${name}\nRUN sleep ${n}`)
    await at.solve([...stages, 'FROM scratch', 'COPY --from=a / /', 'COPY --from=b / /'].join('\n'))
    await using store = openStore(root)
    const found = await store.results.find(keys)
    const layers = found.filter(({ description }) => description.includes('RUN'))
    assert.equal(layers.length, 2)
    const [one, two] = layers.map(({ layer }) => layer)
    assert.ok(one?.kind === 'stored' && one.diffId)
    assert.deepEqual(two, one)
    assert.equal(one.id, stackLayerId([one.diffId]))
  })

  it('fails with a cache that is required', async () => {
    at = bench(() => failing({ isRequired: true }))
    await assert.rejects(at.solve('FROM scratch\nRUN write x 1'), { code: 'IO_FAILED' })
  })
})

/** The calls of a cache as members of their own, so that some can be replaced. */
function wrapped(cache: ResultCache): ResultCache {
  return {
    isRequired: cache.isRequired,
    find: (keys, options) => cache.find(keys, options),
    hasFamilies: (families, options) => cache.hasFamilies(families, options),
    put: (result, options) => cache.put(result, options),
    link: (key, target, options) => cache.link(key, target, options),
  }
}

/** A cache of which every call fails. */
function failing({ isRequired }: Pick<ResultCache, 'isRequired'>): ResultCache {
  const fail = async (): Promise<never> => {
    throw new TsbuildError('out of reach', { code: 'IO_FAILED' })
  }
  return { isRequired, find: fail, hasFamilies: fail, put: fail, link: fail }
}

function warningsOf({ events }: Solved): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
}
