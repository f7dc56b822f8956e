import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { renderGraph } from '#graph-view'
import type { LinkedStage, SourceRef } from '#parser'
import { fixture, GRAPHS, link } from './graphs.ts'

interface Document {
  readonly version: number
  readonly target: number
  readonly stages: readonly StageDocument[]
  readonly edges: readonly {
    readonly kind: string
    readonly source: object
    readonly stage: number
    readonly instruction: string
  }[]
}

interface StageDocument {
  readonly index: number
  readonly name: string | null
  readonly base: object
  readonly platform: string | null
  readonly needed: boolean
  readonly instructions: readonly {
    readonly id: string
    readonly kind: string
    readonly line: number
    readonly endLine: number
    readonly text: string
    readonly dependsOn: readonly string[]
  }[]
}

function documentOf(graph: Parameters<typeof renderGraph>[0]): Document {
  return JSON.parse(renderGraph(graph, 'json'))
}

function sourceOf(ref: SourceRef): object {
  if (ref.kind === 'stage') return { stage: ref.index }
  return ref.kind === 'image' ? { image: ref.name } : { scratch: true }
}

describe('renderGraph: json', () => {
  for (const target of [undefined, 'test', 'xx']) {
    it(`says of ${target ?? 'the last stage'} what the graph says`, () => {
      const graph = fixture('platform', target)
      const { version, stages, edges, target: index } = documentOf(graph)
      assert.deepEqual([version, index], [1, graph.target.stage.index])
      const byIndex = new Map<number, LinkedStage>(
        [...graph.stages, ...graph.unused].map((linked) => [linked.stage.index, linked]),
      )
      assert.deepEqual(
        stages.map((stage) => stage.index),
        [...stages.keys()],
      )
      assert.equal(stages.length, byIndex.size)
      for (const stage of stages) {
        const linked = byIndex.get(stage.index)
        assert.ok(linked)
        assert.equal(stage.needed, graph.stages.includes(linked))
        assert.equal(stage.name, linked.stage.name)
        assert.equal(stage.platform, linked.platform ?? null)
        assert.deepEqual(stage.base, sourceOf(linked.base))
        const written = [linked.stage.from, ...linked.stage.instructions]
        assert.deepEqual(
          stage.instructions.map(({ kind, line, endLine, text }) => [kind, line, endLine, text]),
          written.map(({ kind, range, text }) => [kind, range.start.line, range.end.line, text]),
        )
        const own = edges.filter((edge) => edge.stage === stage.index)
        const used = new Set(own.map(({ source }) => JSON.stringify(source)))
        const named = [linked.base, ...linked.sources.values()].filter(
          ({ kind }) => kind !== 'scratch',
        )
        assert.deepEqual(used, new Set(named.map((ref) => JSON.stringify(sourceOf(ref)))))
      }
    })
  }

  it('ties each instruction to the one before and to the end of each stage that it uses', () => {
    const { stages } = documentOf(fixture('shop'))
    const ids = stages.flatMap(({ instructions }) => instructions.map(({ id }) => id))
    assert.equal(new Set(ids).size, ids.length)
    const dependsOn = stages[4]?.instructions.map((one) => one.dependsOn)
    assert.deepEqual(dependsOn?.slice(0, 4), [['0.2'], ['4.0', '1.2'], ['4.1', '2.2'], ['4.2']])
  })

  it('has the edges of COPY and of each mount, once each', () => {
    const text = `FROM a AS one
FROM scratch
RUN --mount=from=one,target=/1 --mount=from=one,target=/2 --mount=from=b,target=/3 --mount=type=tmpfs,target=/4 x
COPY --from=scratch / /
COPY --from=ONE / /
`
    assert.deepEqual(documentOf(link(text)).edges, [
      { kind: 'from', source: { image: 'a' }, stage: 0, instruction: '0.0' },
      { kind: 'mount', source: { stage: 0 }, stage: 1, instruction: '1.1' },
      { kind: 'mount', source: { image: 'b' }, stage: 1, instruction: '1.1' },
      { kind: 'copy', source: { stage: 0 }, stage: 1, instruction: '1.3' },
    ])
  })

  it('has the shape that is documented', () => {
    const manual = readFileSync(`${GRAPHS}/../../docs/graph.md`, 'utf8')
    const example = /```json\n(.*?)```/s.exec(manual)?.[1] ?? assert.fail('no example')
    const text = `ARG BUILDPLATFORM=linux/amd64
FROM --platform=$BUILDPLATFORM golang:1.22 AS build
FROM scratch
COPY --from=build /out /
`
    const { stages, ...rest } = documentOf(link(text))
    const moved = stages.map(({ instructions, ...stage }) => ({
      ...stage,
      instructions: instructions.map(({ line, endLine, ...instruction }) => {
        return { ...instruction, line: line - 1, endLine: endLine - 1 }
      }),
    }))
    assert.deepEqual({ ...rest, stages: moved }, JSON.parse(example))
  })

  it('is safe to print, and means the same', () => {
    const text = 'FROM a\nRUN echo \u001b[31m \u009b \u202e \u2066\n'
    const printed = renderGraph(link(text), 'json')
    assert.doesNotMatch(printed.replaceAll('\n', ''), /[\p{Cc}\u202e\u2066]/u)
    const { stages } = documentOf(link(text))
    assert.equal(stages[0]?.instructions[1]?.text, text.split('\n')[1])
  })
})
