import type { Plan, StepVertex, VertexId } from '#builder/plan'
import { isStep } from '../keys/vertex-kind.ts'

/**
 * By which keys a step may be found: `any`; `content`, when what it takes its files from is made anew,
 * so that only the files can identify it; `none`, when it or its root has to run.
 */
export type Lookup = 'any' | 'content' | 'none'

/** By which keys each step of a plan may be found. */
export type LookupPolicy = (id: VertexId) => Lookup

/** Decides for every step of a plan; `noCache` is for all of them. */
export function lookupPolicy(plan: Plan, { noCache }: { readonly noCache: boolean }): LookupPolicy {
  const limited = new Map<VertexId, Lookup>()
  // Inputs come before what uses them.
  for (const vertex of plan.vertices.values()) {
    if (!isStep(vertex)) continue
    const lookup = noCache || vertex.fresh === true ? 'none' : inheritedLookup(vertex, limited)
    if (lookup !== 'any') limited.set(vertex.id, lookup)
  }
  return (id) => limited.get(id) ?? 'any'
}

function inheritedLookup(vertex: StepVertex, limited: ReadonlyMap<VertexId, Lookup>): Lookup {
  const isMadeAnew = (id: VertexId | undefined): boolean =>
    id !== undefined && limited.get(id) === 'none'
  // A linked copy is the same on any root.
  const dependsOnRoot = vertex.op === 'exec' || !vertex.link
  if (dependsOnRoot && isMadeAnew(vertex.root)) return 'none'
  const hasLimitedSource = vertex.sources.some(
    (source) => source.kind === 'vertex' && limited.has(source.vertex ?? ''),
  )
  return hasLimitedSource ? 'content' : 'any'
}
