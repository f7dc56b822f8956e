import type { Plan, Vertex } from '#builder/plan'
import { formatPlatform, type PlannedVertex, type Platform } from '#core'
import type { Dockerfile } from '#parser'

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
  if (vertex.op !== 'files' && vertex.op !== 'exec') return []
  const sources = vertex.sources.map((source) =>
    source.kind === 'context' ? undefined : source.vertex,
  )
  return [...new Set([vertex.root, ...sources])].filter((id) => id !== undefined)
}
