import assert from 'node:assert/strict'
import fc from 'fast-check'
import { renderGraph } from '#graph-view'
import { fixture, link, renamed } from './graphs.ts'
import { readPicture } from './picture.ts'
import { allOf, hasClass, textOf } from './svg-reader.ts'

/** A Dockerfile of random shape: each entry is a stage and the earlier ones that it uses. */
const shape = fc.array(
  fc.record({
    base: fc.nat(30),
    uses: fc.array(fc.tuple(fc.nat(14), fc.constantFrom('copy', 'mount', 'run')), { maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 15 },
)

type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never

function dockerfileOf(stages: Shape): string {
  const lines = stages.flatMap(({ base, uses }, index) => [
    `FROM ${base < index ? `s${base}` : `image${base}`} AS s${index}`,
    ...uses.map(([used, kind]) => {
      if (kind === 'run' || used >= index) return `RUN make -j${used}`
      if (kind === 'copy') return `COPY --from=${used} /out /in`
      return `RUN --mount=type=bind,from=s${used},target=/x make`
    }),
  ])
  return `${lines.join('\n')}\n`
}

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.string({ unit: 'grapheme', maxLength: 90 }),
  fc.constantFrom('', ' ', '\ud800', '\ufffe', '家'.repeat(60), 'W'.repeat(200), '🏳️‍🌈'.repeat(30)),
)

describe('renderGraph: svg', function () {
  this.timeout(60_000)

  for (const name of ['single', 'shop', 'platform']) {
    it(`draws ${name} so that everything can be read`, () => {
      const graph = fixture(name)
      const { stages, svg } = readPicture(renderGraph(graph, 'svg'))
      assert.equal(stages.length, graph.dockerfile.stages.length)
      const titles = allOf(svg).filter((element) => element.name === 'title')
      for (const { from, instructions } of graph.dockerfile.stages) {
        for (const { text } of [from, ...instructions]) {
          assert.ok(
            titles.some((title) => textOf(title) === text.replace(/\s+/g, ' ')),
            text,
          )
        }
      }
    })
  }

  it('shortens long lines and marks stages that are not needed, in words too', () => {
    const { stages } = readPicture(renderGraph(fixture('platform'), 'svg'))
    const unneeded = stages.filter((stage) => hasClass(stage, 'unneeded'))
    const header = (stage: (typeof stages)[number]): string =>
      stage.children
        .filter(({ name }) => name === 'text')
        .map(textOf)
        .join(' ')
    assert.deepEqual(unneeded.map(header), [
      'lint stage 3 · not needed',
      'test stage 8 · not needed',
      'artifacts stage 10 · not needed',
    ])
    const target = stages.filter((stage) => hasClass(stage, 'target'))
    assert.deepEqual(target.map(header), ['release stage 11 · target'])
    const shown = allOf(target[0] ?? assert.fail()).filter(({ name }) => name === 'text')
    assert.ok(shown.map(textOf).some((text) => /^HEALTHCHECK --interval=30s .*…$/.test(text)))
  })

  it('fits dark pages as well', () => {
    assert.match(renderGraph(fixture('single'), 'svg'), /@media \(prefers-color-scheme:dark\)\{/)
  })

  it('draws one arrow a use, or one a kind where arrows end at the box', () => {
    const tools = Array.from({ length: 9 }, (_, index) => `FROM base AS t${index}\nRUN a\nRUN b\n`)
    const copies = tools.flatMap((_, index) => {
      return [`COPY --from=t${index} /a /a\n`, `COPY --from=t${index} /b /b\n`]
    })
    const wide = `FROM debian AS base\n${tools.join('')}FROM scratch\n${copies.join('')}`
    const heads = (text: string): number =>
      allOf(readPicture(renderGraph(link(text), 'svg')).svg).filter((element) => {
        return hasClass(element, 'head')
      }).length
    const legend = 2
    assert.equal(heads(wide), 9 + 18 + legend)
    assert.equal(heads('FROM a AS x\nFROM x\nCOPY --from=x 1 /\nCOPY --from=x 2 /\n'), 2 + legend)
  })

  it('keeps boxes, texts and lines apart for every shape', () => {
    const draw = (stages: Shape): void => {
      const { stages: drawn } = readPicture(renderGraph(link(dockerfileOf(stages)), 'svg'))
      assert.equal(drawn.length, stages.length)
    }
    fc.assert(fc.property(shape, draw), { numRuns: 150 })
  })

  it('keeps them apart and stays well-formed for all words', () => {
    const draw = (stages: Shape, stage: string, text: string, image: string): void => {
      const graph = renamed(link(dockerfileOf(stages)), { stage, text, image })
      assert.equal(readPicture(renderGraph(graph, 'svg')).stages.length, stages.length)
    }
    const property = fc.property(shape, anything, anything, anything, draw)
    fc.assert(property, { numRuns: 150 })
  })

  it('takes time in proportion to a big file', () => {
    const count = 1500
    const chain = Array.from({ length: count }, (_, index) => `FROM s${index} AS s${index + 1}\n`)
    const copies = Array.from({ length: count }, (_, index) => `COPY --from=s${index + 1} a b\n`)
    const graph = link(`FROM x AS s0\n${chain.join('')}FROM scratch\n${copies.join('')}`)
    const start = performance.now()
    const svg = renderGraph(graph, 'svg')
    assert.ok(performance.now() - start < 5000)
    assert.ok(svg.length > count * 500)
  })
})
