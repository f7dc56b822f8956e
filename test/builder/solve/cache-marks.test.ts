import assert from 'node:assert/strict'
import type { ResultCache, Store } from '#cache'
import type { BuildFact } from '#core'
import { layeredResults } from '../../../builder/remote-cache/imports/layered-results.ts'
import { RemoteContent, RemoteResults } from './remote-results.ts'
import { type Bench, bench, type Solved, type SolveRequest } from './support.ts'

const HOUR = 3_600_000

/** Why steps were executed, by what they write. */
function reasonsOf({ events }: { readonly events: readonly BuildFact[] }): Record<string, string> {
  return Object.fromEntries(
    events.flatMap((event) => {
      if (event.type !== 'started' || event.reason === undefined) return []
      return [[event.name.replace(/^\[.*?\] /, ''), event.reason]]
    }),
  )
}

describe('solver with marks of the cache', () => {
  /** How much older results are than they say: the time that has passed. */
  let age = 0
  let at: Bench
  beforeEach(() => {
    age = 0
    at = bench(({ results }) => agedBy(results, () => age))
  })
  afterEach(() => at[Symbol.dispose]())

  const solveAfter = (hours: number, text: string, request: SolveRequest = {}): Promise<Solved> => {
    age = hours * HOUR
    return at.solve(text, request)
  }

  describe('filters of instructions', () => {
    const text = [
      'FROM scratch AS build',
      'COPY a /a',
      'RUN write x 1',
      'RUN write y 1',
      'FROM scratch',
      'RUN write z 1',
      'COPY --from=build /x /x',
    ].join('\n')
    beforeEach(() => at.put('a', 'a'))

    const cases: readonly (readonly [filters: readonly string[], ran: readonly string[]])[] = [
      [['build:RUN'], ['write x 1', 'write y 1']],
      [['build:RUN write y*'], ['write y 1']],
      [['build:COPY'], ['write x 1', 'write y 1']],
      [[':RUN'], ['write x 1', 'write y 1', 'write z 1']],
      [['1'], ['write z 1']],
      [
        ['1', 'build:RUN *y*'],
        ['write y 1', 'write z 1'],
      ],
      [['build:ADD', 'none'], []],
    ]
    for (const [fresh, ran] of cases) {
      it(fresh.join(), async () => {
        await at.solve(text)
        const again = await at.solve(text, { fresh })
        assert.deepEqual(again.ran.toSorted(), ran)
        assert.deepEqual((await at.solve(text)).ran, [])
      })
    }

    it('are reasons, and what is built on their steps has another one', async () => {
      await at.solve(text)
      const again = await at.solve(text, { fresh: ['build:RUN write x*'] })
      const reasons = reasonsOf(again)
      assert.equal(reasons['RUN write x 1'], 'no-cache')
      assert.equal(reasons['RUN write y 1'], 'input-executed')
      assert.equal(reasonsOf(await at.solve(text, { noCache: true }))['RUN write y 1'], 'no-cache')
    })

    it('leave copies of the context alone that other steps mount too', async () => {
      const mounting = [
        'FROM scratch AS one',
        'RUN --mount=source=a,target=/m write x 1',
        'FROM scratch',
        'RUN --mount=source=a,target=/m write y 1',
        'COPY --from=one /x /x',
      ].join('\n')
      await at.solve(mounting)
      assert.deepEqual((await at.solve(mounting, { fresh: ['one'] })).ran, ['write x 1'])
    })
  })

  describe('cache=never', () => {
    const text = [
      'FROM scratch AS made',
      'RUN write a 1',
      '# cache=never since the mirror changes',
      '# and more about it',
      '',
      'RUN write x 1',
      'RUN write y 1',
      'FROM scratch',
      'COPY --from=made /x /x',
      'RUN write z 1',
    ].join('\n')

    it('executes the step in every build, and what is done on it', async () => {
      await at.solve(text)
      const again = await at.solve(text)
      assert.deepEqual(again.ran, ['write x 1', 'write y 1'])
      assert.deepEqual(reasonsOf(again), {
        'RUN write x 1': 'cache-never',
        'RUN write y 1': 'input-executed',
      })
    })

    it('finds copies of the same files, and executes what is made of others', async () => {
      await at.solve(text)
      const changing = text.replace('write x 1', 'write x $SERIAL')
      await at.solve(changing)
      const again = await at.solve(changing)
      assert.deepEqual(again.ran, ['write x $SERIAL', 'write y 1', 'write z 1'])
      assert.equal(reasonsOf(again)['RUN write z 1'], 'no-record')
    })

    it('holds for COPY and WORKDIR', async () => {
      at.put('a', 'a')
      const copy = (comment: string): string =>
        ['FROM scratch', comment, 'COPY a /a', 'RUN write x 1'].join('\n')
      await at.solve(copy('# nothing'))
      assert.deepEqual((await at.solve(copy('# nothing'))).ran, [])
      assert.deepEqual((await at.solve(copy('# cache=never'))).ran, ['write x 1'])
      const workdir = ['FROM scratch', '#cache=never', 'WORKDIR /w', 'RUN write x 1'].join('\n')
      await at.solve(workdir)
      assert.deepEqual((await at.solve(workdir)).ran, ['write x 1'])
    })

    it('counts for nothing inside an instruction, behind a bare # and for the next one', async () => {
      for (const lines of [
        ['RUN write x \\', '# cache=never', '1'],
        ['# cache=never', '#', 'RUN write x 1'],
        ['RUN write x 1', '# cache=never'],
        ['# cache=never', 'ENV a=b', 'RUN write x 1'],
      ]) {
        const text = ['FROM scratch', ...lines].join('\n')
        await at.solve(text)
        assert.deepEqual((await at.solve(text)).ran, [], text)
      }
    })
  })

  describe('cache=ttl', () => {
    const base = ['FROM scratch AS made', '# cache=ttl:2h', 'RUN write x $SERIAL']
    const text = [
      ...base,
      'RUN write y 1',
      'FROM scratch',
      'COPY --from=made /y /y',
      'RUN write z 1',
    ].join('\n')

    it('executes the step when its result is older, and what is done on it', async () => {
      await at.solve(text)
      assert.deepEqual((await solveAfter(1.9, text)).ran, [])
      const again = await solveAfter(2.1, text)
      assert.deepEqual(again.ran, ['write x $SERIAL', 'write y 1'])
      assert.deepEqual(reasonsOf(again), {
        'RUN write x $SERIAL': 'expired',
        'RUN write y 1': 'input-executed',
      })
      // What was made just now counts from now on.
      assert.deepEqual((await solveAfter(0, text)).ran, [])
    })

    it('does not put what was done on the last result on this one', async () => {
      await at.solve(text)
      assert.deepEqual((await solveAfter(3, base.join('\n'))).ran, ['write x $SERIAL'])
      const mixed = await solveAfter(0, text)
      assert.deepEqual(mixed.ran, ['write y 1'])
      assert.deepEqual(reasonsOf(mixed), { 'RUN write y 1': 'input-executed' })
      assert.deepEqual((await at.solve(text)).ran, [])
    })

    it('does not find a copy by the definition of what was made anew', async () => {
      const copied = [...base, 'FROM scratch', 'COPY --from=made /x /x', 'RUN write z 1'].join('\n')
      const first = await at.solve(copied)
      const again = await solveAfter(3, copied)
      assert.deepEqual(again.ran, ['write x $SERIAL', 'write z 1'])
      assert.notDeepEqual(again.diffIds, first.diffIds)
      assert.deepEqual((await solveAfter(0, copied)).diffIds, again.diffIds)
    })

    it('leaves a linked copy on it alone', async () => {
      at.put('a', 'a')
      const linked = [...base, 'COPY --link a /a'].join('\n')
      await at.solve(linked)
      const again = await solveAfter(3, linked)
      assert.deepEqual(again.ran, ['write x $SERIAL'])
      assert.ok(again.cached.some((name) => name.endsWith('COPY --link a /a')))
    })

    it('holds for what is found by the content of what it takes', async () => {
      const mounting = [
        'FROM scratch AS source',
        'RUN write a 1',
        'FROM scratch',
        '# cache=ttl:2h',
        'RUN --mount=from=source,target=/m write x 1',
      ].join('\n')
      await at.solve(mounting)
      assert.deepEqual((await solveAfter(1, mounting)).ran, [])
      assert.deepEqual((await solveAfter(3, mounting)).ran, ['write x 1'])
    })

    it('fetches no layer of a result that is older', async () => {
      const content = new RemoteContent()
      const remote = (store: Store) => agedBy(new RemoteResults(content, store), () => age)
      const copied = [...base, 'FROM scratch', 'COPY --from=made /x /x'].join('\n')
      using one = bench(remote)
      using two = bench(remote)
      using three = bench(remote)
      await one.solve(copied)
      age = HOUR
      assert.deepEqual((await two.solve(copied)).ran, [])
      const { opened } = content
      assert.ok(opened > 0)
      age = 3 * HOUR
      const late = await three.solve(copied)
      assert.deepEqual(late.ran, ['write x $SERIAL'])
      assert.equal(reasonsOf(late)['RUN write x $SERIAL'], 'expired')
      assert.equal(content.opened, opened)
    })

    it('finds a result elsewhere that is younger than the one here', async () => {
      const content = new RemoteContent()
      using elsewhere = bench((store) => new RemoteResults(content, store))
      using here = bench((store) => {
        return layeredResults(
          agedBy(store.results, () => age),
          [new RemoteResults(content, store)],
        )
      })
      const chain = [...base, 'RUN write y 1'].join('\n')
      assert.deepEqual((await here.solve(chain)).ran, ['write x $SERIAL', 'write y 1'])
      const made = await elsewhere.solve(chain)
      age = 3 * HOUR
      const found = await here.solve(chain)
      assert.deepEqual(found.ran, [])
      assert.deepEqual(found.diffIds, made.diffIds)
    })

    it('counts from the last time that the step was executed', async () => {
      await at.solve(base.join('\n'))
      await solveAfter(3, base.join('\n'))
      const longer = base.join('\n').replace('2h', '7d')
      assert.deepEqual((await solveAfter(100, longer)).ran, [])
      assert.deepEqual((await solveAfter(200, longer)).ran, ['write x $SERIAL'])
    })
  })
})

/** A cache whose results were all made so much earlier. */
function agedBy(results: ResultCache, age: () => number): ResultCache {
  return {
    isRequired: results.isRequired,
    find: async (keys, options) =>
      (await results.find(keys, options)).map((found) => ({
        ...found,
        createdAt: new Date(found.createdAt.getTime() - age()),
      })),
    hasFamilies: (families, options) => results.hasFamilies(families, options),
    put: (result, options) => results.put(result, options),
    link: (key, target, options) => results.link(key, target, options),
  }
}
