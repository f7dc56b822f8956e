import assert from 'node:assert/strict'
import { type Bench, bench, type ResultsOf } from './support.ts'

/**
 * What the solver does, wherever results are cached. Called once for each cache.
 * @param openCache called once a test
 */
export function solverSuite(name: string, openCache: () => ResultsOf): void {
  describe(`solver with results in ${name}`, () => solverTests(() => bench(openCache())))
}

function solverTests(create: () => Bench): void {
  let at: Bench
  beforeEach(() => {
    at = create()
  })
  afterEach(() => at[Symbol.dispose]())

  const twoStages = [
    'FROM scratch AS build',
    'COPY src /src',
    'RUN write out/app v1',
    'FROM scratch',
    'COPY conf /conf',
    'COPY --from=build /out /out',
    'RUN write done yes',
  ].join('\n')

  it('does nothing the second time, and makes the same layers', async () => {
    at.put('src/a', '1')
    at.put('conf', 'x')
    const first = await at.solve(twoStages)
    const second = await at.solve(twoStages)
    assert.deepEqual(first.ran, ['write out/app v1', 'write done yes'])
    assert.deepEqual(second.ran, [])
    assert.deepEqual(second.diffIds, first.diffIds)
    assert.equal(first.diffIds.length, 3)
    assert.equal(second.cached.length, 5)
  })

  it('does again only what depends on a changed file', async () => {
    at.put('src/a', '1')
    at.put('conf', 'x')
    await at.solve(twoStages)
    at.put('conf', 'y')
    const changed = await at.solve(twoStages)
    assert.deepEqual(changed.ran, ['write done yes'])
    assert.ok(changed.cached.some((name) => name.includes('RUN write out/app')))
  })

  it('finds a copy by content when its stage was made anew but came out the same', async () => {
    at.put('src/a', '1')
    at.put('conf', 'x')
    await at.solve(twoStages)
    at.put('src/a', '2')
    const changed = await at.solve(twoStages)
    assert.deepEqual(changed.ran, ['write out/app v1'])
    const again = await at.solve(twoStages)
    assert.deepEqual(again.ran, [])
  })

  it('does not care about times, but about modes and names', async () => {
    const text = 'FROM scratch\nCOPY . /\nRUN write x 1'
    at.put('a', '1')
    await at.solve(text)
    at.put('a', '1')
    assert.deepEqual((await at.solve(text)).ran, [])
    at.put('b', '')
    assert.deepEqual((await at.solve(text)).ran, ['write x 1'])
  })

  it('runs again when what a step is has changed', async () => {
    const variants = [
      'FROM scratch\nRUN write x 1',
      'FROM scratch\nRUN write x 2',
      'FROM scratch\nENV A=1\nRUN write x 1',
      'FROM scratch\nARG A=2\nRUN write x 1',
      'FROM scratch\nUSER 1\nRUN write x 1',
      'FROM scratch\nWORKDIR /w\nRUN write x 1',
      'FROM scratch\nRUN --network=none write x 1',
      'FROM scratch\nSHELL ["/sh"]\nRUN write x 1',
    ]
    for (const text of variants) assert.equal((await at.solve(text)).ran.length, 1, text)
    for (const text of variants) assert.equal((await at.solve(text)).ran.length, 0, text)
  })

  it('does not run again for what files do not depend on', async () => {
    await at.solve('FROM scratch\nRUN write x 1')
    const same = [
      'FROM scratch\nLABEL a=b\nRUN write x 1',
      '# comment\nFROM scratch AS named\n\nCMD x\nRUN   write x 1',
      'FROM scratch\nEXPOSE 80\nRUN write x 1\nENV late=1',
    ]
    for (const text of same) assert.deepEqual((await at.solve(text)).ran, [], text)
    const proxied = await at.solve('FROM scratch\nRUN write x 1', {
      buildArgs: { http_proxy: 'p' },
    })
    assert.deepEqual(proxied.ran, [])
  })

  it('looks nothing up with noCache, but stores what it makes', async () => {
    const text = 'FROM scratch\nRUN write x 1'
    await at.solve(text)
    assert.equal((await at.solve(text, { noCache: true })).ran.length, 1)
    assert.equal((await at.solve(text)).ran.length, 0)
  })

  it('does again the stages that are to be fresh, and what is built on them', async () => {
    const text = [
      'FROM scratch AS Named\nRUN write x 1',
      'FROM named AS child\nRUN write y 1\nCOPY a /a',
      'FROM scratch AS copy\nCOPY --from=named /x /x\nRUN write z 1',
      'FROM scratch AS other\nRUN write o 1',
      'FROM scratch\nCOPY --from=child / /\nCOPY --from=copy / /\nCOPY --from=other / /\nRUN write end 1',
    ].join('\n')
    at.put('a', 'a')
    const first = await at.solve(text)
    assert.equal(first.ran.length, 5)
    for (const [fresh, ran] of [
      [['none'], []],
      [['nAmEd'], ['write x 1', 'write y 1']],
      [['child'], ['write y 1']],
      [
        ['copy', 'other'],
        ['write z 1', 'write o 1'],
      ],
    ] as const) {
      const solved = await at.solve(text, { fresh })
      assert.deepEqual(solved.ran.toSorted(), ran.toSorted(), fresh.join())
      assert.deepEqual(solved.diffIds, first.diffIds)
      const isCopied = !/named|child/i.test(fresh.join())
      assert.equal(
        solved.cached.some((name) => name.endsWith('COPY a /a')),
        isCopied,
      )
    }
    assert.deepEqual((await at.solve(text)).ran, [])
  })

  it('hands what came out otherwise on to all that was made of it', async () => {
    const text = (value: string): string =>
      [
        `FROM scratch AS a\nRUN write x ${value}`,
        'FROM scratch AS b\nCOPY --from=a /x /x\nRUN write y 1',
        'FROM scratch\nCOPY --from=b /y /y',
      ].join('\n')
    await at.solve(text('$SERIAL'))
    const again = await at.solve(text('$SERIAL'), { fresh: ['a'] })
    assert.deepEqual(again.ran, ['write x $SERIAL', 'write y 1'])
    assert.deepEqual((await at.solve(text('$SERIAL'))).ran, [])
  })

  it('makes stages side by side, and not more than allowed', async () => {
    const stages = [1, 2, 3].map((n) => `FROM scratch AS s${n}\nRUN sleep 60;write f${n} x\n`)
    const copies = [1, 2, 3].map((n) => `COPY --from=s${n} / /s${n}`)
    const text = [...stages, 'FROM scratch', ...copies].join('\n')
    assert.equal((await at.solve(text, { jobs: 2 })).peak, 2)
    assert.equal((await at.solve(text, { jobs: 1, noCache: true })).peak, 1)
  })

  it('makes equal steps of two stages once', async () => {
    const text = [
      'FROM scratch AS a\nRUN sleep 50;write x 1',
      'FROM scratch AS b\nRUN sleep 50;write x 1',
      'FROM scratch\nCOPY --from=a / /a\nCOPY --from=b / /b',
    ].join('\n')
    assert.equal((await at.solve(text)).ran.length, 1)
  })

  it('lets one of two builds at the same time do a step, and the other take it', async () => {
    const text = 'FROM scratch\nRUN sleep 100;write x 1'
    const [one, two] = await Promise.all([at.solve(text), at.solve(text)])
    assert.equal(one.ran.length + two.ran.length, 1)
    assert.deepEqual(one.diffIds, two.diffIds)
  })

  it('says which line failed, stores nothing of it and stops the rest', async () => {
    const text = [
      'FROM scratch AS slow\nRUN sleep 5000;write x 1',
      'FROM scratch AS bad\nRUN sleep 50;fail 3',
      'FROM scratch\nCOPY --from=bad / /bad\nCOPY --from=slow / /slow',
    ].join('\n')
    const started = performance.now()
    await assert.rejects(at.solve(text), (error: Error) => {
      assert.ok('code' in error && error.code === 'STEP_FAILED')
      assert.equal(
        error.message,
        'process "/bin/sh -c sleep 50;fail 3" did not complete successfully: exit code: 3',
      )
      assert.ok('ranges' in error && Array.isArray(error.ranges))
      assert.equal(error.ranges[0]?.start.line, 4)
      return true
    })
    assert.ok(performance.now() - started < 3000)
    await assert.rejects(at.solve(text), { code: 'STEP_FAILED' })
  })

  it('keeps steps that were done before a failure', async () => {
    const text = (last: string): string => `FROM scratch\nRUN write a 1\nRUN ${last}`
    await assert.rejects(at.solve(text('fail 1')))
    assert.deepEqual((await at.solve(text('write b 1'))).ran, ['write b 1'])
  })

  it('stops when its signal aborts', async () => {
    const controller = new AbortController()
    const solving = at.solve('FROM scratch\nRUN sleep 5000', { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await assert.rejects(solving, { code: 'CANCELLED' })
  })

  it('reports each step once: started, then done or cached', async () => {
    at.put('src/a', '1')
    at.put('conf', 'x')
    for (const kind of ['done', 'cached']) {
      const { events } = await at.solve(twoStages)
      const names = events.flatMap((event) => (event.type === 'started' ? [event.vertex] : []))
      const ends = events.flatMap((event) =>
        event.type === kind && 'vertex' in event ? [event.vertex] : [],
      )
      assert.equal(names.length, 5)
      assert.deepEqual(ends.toSorted(), names.toSorted())
    }
  })

  it('copies with --link whatever lies below', async () => {
    const text = (first: string): string =>
      `FROM scratch\nRUN ${first}\nCOPY --link a /a\nRUN write c 1`
    at.put('a', '1')
    const one = await at.solve(text('write b 1'))
    const two = await at.solve(text('write b 2'))
    assert.ok(two.cached.some((name) => name.includes('COPY --link')))
    assert.equal(two.ran.length, 2)
    assert.equal(two.diffIds[1], one.diffIds[1])
  })
}
