import assert from 'node:assert/strict'
import type { Trace, TracedVertex } from '#builder/explain'
import type { CacheKey } from '#cache'
import { counterparts, likenessOf } from '../../../builder/explain/trace/counterparts.ts'

/** Steps as `stage: instruction`, or `stage: instruction @key`. */
function traceOf(...steps: readonly string[]): Trace {
  const vertices = steps.map((text, index): TracedVertex => {
    const [, stage = '', instruction = '', key] = /^(\w+): (.*?)(?: @(\w+))?$/.exec(text) ?? []
    return {
      id: `v${index}`,
      name: `[${stage} ${index + 1}/${steps.length}] ${instruction}`,
      op: instruction.startsWith('RUN') ? 'exec' : 'files',
      stage,
      lines: [index + 1, index + 1],
      platform: 'linux/amd64',
      ...(key === undefined ? {} : { key: key as CacheKey }),
    }
  })
  const createdAt = new Date(0)
  return { id: 1, context: '/', dockerfile: 'Dockerfile', createdAt, vertices }
}

/** For each step the number of the one that it was, counted from 0; - for none. */
function pairsOf(now: Trace, before: Trace): string {
  const pairs = counterparts(now, before)
  return now.vertices
    .map((vertex) => {
      const other = pairs.get(vertex)
      return other === undefined ? '-' : String(before.vertices.indexOf(other))
    })
    .join(' ')
}

describe('earlier versions of steps', () => {
  const before = traceOf('a: RUN one', 'a: RUN two', 'a: COPY x y', 'b: RUN two', 'b: RUN three')

  for (const [what, now, pairs] of [
    ['nothing', before, '0 1 2 3 4'],
    [
      'a changed word',
      traceOf('a: RUN one', 'a: RUN two more', 'a: COPY x y', 'b: RUN two', 'b: RUN three'),
      '0 1 2 3 4',
    ],
    [
      'a step in front',
      traceOf(
        'a: RUN zero',
        'a: RUN one',
        'a: RUN two',
        'a: COPY x y',
        'b: RUN two',
        'b: RUN three',
      ),
      '- 0 1 2 3 4',
    ],
    [
      'a step that is gone',
      traceOf('a: RUN two', 'a: COPY x y', 'b: RUN two', 'b: RUN three'),
      '1 2 3 4',
    ],
    [
      'a stage of another name',
      traceOf('c: RUN one', 'c: RUN two', 'c: COPY x y', 'b: RUN two', 'b: RUN three'),
      '0 1 2 3 4',
    ],
    ['a stage that is gone', traceOf('b: RUN two', 'b: RUN three'), '3 4'],
    ['another instruction', traceOf('a: RUN one', 'a: COPY two three'), '0 2'],
    ['nothing in common', traceOf('a: WORKDIR /x'), '-'],
  ] as const) {
    it(`are found with ${what}`, () => assert.equal(pairsOf(now, before), pairs))
  }

  it('are found by their keys before their texts', () => {
    const old = traceOf('a: RUN x @k1', 'a: RUN y @k2')
    assert.equal(pairsOf(traceOf('a: RUN y @k1'), old), '0')
    assert.equal(pairsOf(traceOf('a: RUN y @k3'), old), '1')
  })

  it('are looked for in long Dockerfiles, too', () => {
    const steps = Array.from({ length: 1200 }, (_, index) => `a: RUN step ${index}`)
    const changed = steps.with(600, 'a: RUN another one entirely').toSpliced(3, 1)
    const pairs = pairsOf(traceOf(...changed), traceOf(...steps)).split(' ')
    assert.deepEqual([pairs[2], pairs[3], pairs[599], pairs.at(-1)], ['2', '4', '600', '1199'])
  })

  it('make a build more or less alike to another one', () => {
    assert.equal(likenessOf(before, before), 5)
    assert.equal(likenessOf(traceOf('z: RUN two', 'z: RUN four'), before), 1)
    assert.equal(likenessOf(traceOf('z: RUN four'), before), 0)
  })
})
