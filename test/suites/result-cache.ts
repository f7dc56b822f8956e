import assert from 'node:assert/strict'
import { type CacheKey, cacheKeyOf, type LayerId, type NewResult, type ResultCache } from '#cache'

/** A cache, and a layer that results in it may have. */
export interface TestedResults {
  readonly cache: ResultCache
  readonly layer: LayerId
}

const options = { signal: undefined }
const keyOf = (name: string): CacheKey => cacheKeyOf({ suite: name })

function resultOf(name: string, layer: LayerId): NewResult {
  return {
    key: keyOf(name),
    preimage: { name, list: [1, null, 'ü'] },
    family: keyOf('family'),
    inputs: [keyOf('root'), keyOf('source')],
    description: `RUN ${name}`,
    createdAt: new Date(1_700_000_000_123),
    layer,
    tar: () => assert.fail('a cache on this machine has no use for the tar'),
  }
}

/** What every cache of results must do. Each implementation's test file calls this once. */
export function resultCacheSuite(name: string, create: () => Promise<TestedResults>): void {
  describe(`result cache: ${name}`, () => {
    let cache: ResultCache
    let put: (name: string, changed?: Partial<NewResult>) => Promise<NewResult>

    beforeEach(async () => {
      const { cache: created, layer } = await create()
      cache = created
      put = async (key, changed) => {
        const result = { ...resultOf(key, layer), ...changed }
        await cache.put(result, options)
        return result
      }
    })

    /** Which results are found, by the keys that are asked for. */
    async function found(...names: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const byKey = new Map(names.map((one) => [keyOf(one), one]))
      const candidates = await cache.find([...byKey.keys()], options)
      return new Map(
        candidates.map(({ foundBy, description }) => [byKey.get(foundBy) ?? '?', description]),
      )
    }

    it('finds nothing that was not put', async () => {
      assert.deepEqual(await cache.find([], options), [])
      assert.deepEqual(await cache.find([keyOf('a'), keyOf('b')], options), [])
    })

    it('gives back everything that another machine needs', async () => {
      const { layer, tar: _, ...facts } = await put('make')
      const [candidate, ...others] = await cache.find([keyOf('make')], options)
      assert.deepEqual(others, [])
      const { layer: found, ...rest } = candidate ?? assert.fail('nothing was found')
      assert.deepEqual(rest, { ...facts, foundBy: keyOf('make') })
      assert.equal(found.kind === 'stored' && found.id, layer)
    })

    it('answers for many keys at once, and says which key found what', async () => {
      await put('one')
      await put('two')
      assert.deepEqual(
        await found('none', 'two', 'one'),
        new Map([
          ['two', 'RUN two'],
          ['one', 'RUN one'],
        ]),
      )
    })

    it('replaces the result of a key', async () => {
      await put('make')
      await put('make', { description: 'RUN make again' })
      assert.deepEqual(await found('make'), new Map([['make', 'RUN make again']]))
    })

    it('finds a result by linked keys, also where the link comes first', async () => {
      await cache.link(keyOf('definition'), keyOf('content'), options)
      assert.equal((await found('definition')).size, 0)
      await put('content')
      await cache.link(keyOf('third'), keyOf('definition'), options)
      const [candidate] = await cache.find([keyOf('third')], options)
      assert.equal(candidate?.key, keyOf('content'))
      assert.deepEqual(
        await found('definition', 'third', 'content'),
        new Map([
          ['definition', 'RUN content'],
          ['third', 'RUN content'],
          ['content', 'RUN content'],
        ]),
      )
    })

    it('prefers the result of a key to a linked one', async () => {
      await put('content')
      await cache.link(keyOf('definition'), keyOf('content'), options)
      await put('definition')
      assert.deepEqual(await found('definition'), new Map([['definition', 'RUN definition']]))
    })

    it('answers which steps have a result of any version', async () => {
      const families = [keyOf('another'), keyOf('family')]
      assert.deepEqual(await cache.hasFamilies(families, options), new Set())
      await put('version one')
      assert.deepEqual(await cache.hasFamilies(families, options), new Set([keyOf('family')]))
      assert.deepEqual(await cache.hasFamilies([], options), new Set())
    })
  })
}
