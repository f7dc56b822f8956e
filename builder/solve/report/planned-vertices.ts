import type { Plan, Vertex } from '#builder/plan'
import { formatPlatform, type PlannedVertex, type Platform } from '#core'
import type { Dockerfile } from '#parser'
import { isStep, sourcesOf } from '../keys/vertex-kind.ts'

/** What `planned` events say of a plan: all vertices, inputs before what uses them. */
export function plannedVertices(
  { vertices }: Plan,
  { stages }: Dockerfile,
  target: Platform,
): readonly PlannedVertex[] {
  const platform = formatPlatform(target)
  return [...vertices.values()].map((vertex) => {
    const { id, name, op, range } = vertex
    const lines = { start: range.start.line, end: range.end.line }
    const stage = stages.findLast(({ from }) => from.range.start.line <= lines.start)
    const named = stage?.name ?? String(stage?.index ?? 0)
    return { id, name, op, inputs: inputsOf(vertex), stage: named, lines, platform }
  })
}

function inputsOf(vertex: Vertex): readonly string[] {
  if (!isStep(vertex)) return []
  const root = vertex.root === undefined ? [] : [vertex.root]
  return [...new Set([...root, ...sourcesOf(vertex)])]
}
