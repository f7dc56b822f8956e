import type { Plan, VertexId } from '#builder/plan'
import { isStep, sourcesOf } from '../keys/vertex-kind.ts'

/** How a step's layer is made: in overlay form, as a plain tar, or both. */
export type LayerForm = 'directory' | 'tar'

/** In which forms a plan needs the layer of each of its vertices. */
export type LayerForms = (id: VertexId) => readonly LayerForm[]

/**
 * A layer of the image is needed as a tar if `wantsTars`, and as a directory where a step runs on top
 * of it or copies from it. Any other layer is needed as a directory only.
 */
export function layerForms(plan: Plan, { wantsTars }: { readonly wantsTars: boolean }): LayerForms {
  const inImage = new Set(wantsTars ? chainOf(plan, plan.image.top) : [])
  const lookedInto = verticesLookedInto(plan)
  return (id) => {
    if (!inImage.has(id)) return ['directory']
    return lookedInto.has(id) ? ['directory', 'tar'] : ['tar']
  }
}

/** Vertices that something runs on top of or copies from, with all that they stand on. */
function verticesLookedInto(plan: Plan): ReadonlySet<VertexId> {
  const found = new Set<VertexId>()
  const addChain = (top: VertexId | undefined): void => {
    for (const id of chainOf(plan, top)) {
      if (found.has(id)) return
      found.add(id)
    }
  }
  for (const vertex of plan.vertices.values()) {
    if (!isStep(vertex)) continue
    addChain(vertex.root)
    for (const source of sourcesOf(vertex)) addChain(source)
  }
  return found
}

/** A vertex and what it stands on, down to its base. */
export function* chainOf(plan: Plan, top: VertexId | undefined): Generator<VertexId> {
  for (let at = top; at !== undefined; ) {
    yield at
    const vertex = plan.vertices.get(at)
    at = vertex !== undefined && isStep(vertex) ? vertex.root : undefined
  }
}
