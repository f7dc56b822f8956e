import type { ExecVertex, Plan, VertexId } from '#builder/plan'
import { isStep } from '../keys/vertex-kind.ts'

/** Whether a process of the plan runs on what this one leaves, with nothing but copies between them. */
export function isFollowed({ id }: ExecVertex, { vertices }: Plan): boolean {
  for (const vertex of vertices.values()) {
    if (vertex.op === 'exec' && processBelow(vertex, vertices) === id) return true
  }
  return false
}

function processBelow(vertex: ExecVertex, vertices: Plan['vertices']): VertexId | undefined {
  let id = vertex.root
  for (;;) {
    const below = id === undefined ? undefined : vertices.get(id)
    if (below === undefined || !isStep(below)) return undefined
    if (below.op === 'exec') return below.id
    id = below.root
  }
}
