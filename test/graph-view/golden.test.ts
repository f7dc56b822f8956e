import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type GraphFormat, renderGraph } from '#graph-view'
import { assertGoldenText, casesIn } from '../support/golden/index.ts'
import { fixture, GRAPHS, link } from './graphs.ts'

const FORMATS: Readonly<Record<GraphFormat, string>> = {
  text: 'graph.txt',
  json: 'graph.json',
  dot: 'graph.dot',
  svg: 'graph.svg',
  mermaid: 'graph.mermaid',
}
const NAMES = ['text', 'json', 'dot', 'svg', 'mermaid'] as const

describe('renderGraph: golden files', () => {
  const cases = casesIn(GRAPHS)

  it('has a small case, a usual one and one of twelve stages', () => {
    const counts = cases.map((name) => fixture(name).dockerfile.stages.length)
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      [1, 5, 12],
    )
  })

  for (const name of cases) {
    for (const format of NAMES) {
      it(`${name} as ${format}`, () => {
        assertGoldenText(`${GRAPHS}/${name}/${FORMATS[format]}`, renderGraph(fixture(name), format))
      })
    }
  }

  it('does not depend on how lines end', () => {
    const text = readFileSync(`${GRAPHS}/shop/Dockerfile`, 'utf8')
    for (const format of NAMES) {
      const expected = renderGraph(link(text), format)
      assert.equal(renderGraph(link(text.replaceAll('\n', '\r\n')), format), expected)
    }
  })
})
