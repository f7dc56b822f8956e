import type { Plan, StepVertex, VertexId } from '#builder/plan'
import type { ExecutionReason } from '#core'
import { isStep, sourcesOf } from '../keys/vertex-kind.ts'

/** By which results of earlier builds a step may be found. */
export interface Lookup {
  /**
   * By which keys: `any`; `content`, when what it takes its files from is made anew, so that only the
   * files can identify it; `none`, when it or its root has to run.
   */
  readonly by: 'any' | 'content' | 'none'
  /** Why a step that no key may find is executed. */
  readonly reason: ExecutionReason
  /** What was made earlier is not used: milliseconds since 1970. */
  readonly since: number
  /**
   * The steps below it that have a `since`. One of them may have been made anew, which its key does not
   * say: what is older than its result was done on another one.
   */
  readonly below: readonly VertexId[]
  /** The same for what it takes files from, unless the files themselves identify it. */
  readonly beside: readonly VertexId[]
}

/** By which results each step of a plan may be found. */
export type LookupPolicy = (id: VertexId) => Lookup

const ANY: Lookup = {
  by: 'any',
  reason: 'input-executed',
  since: Number.NEGATIVE_INFINITY,
  below: [],
  beside: [],
}

/** Decides for every step of a plan; `now` is when the build looks, in milliseconds since 1970. */
export function lookupPolicy(plan: Plan, now: number): LookupPolicy {
  const limited = new Map<VertexId, Lookup>()
  // Inputs come before what uses them.
  for (const vertex of plan.vertices.values()) {
    if (!isStep(vertex)) continue
    const lookup = lookupOf(vertex, limited, now)
    if (lookup !== ANY) limited.set(vertex.id, lookup)
  }
  return (id) => limited.get(id) ?? ANY
}

function lookupOf(vertex: StepVertex, limited: ReadonlyMap<VertexId, Lookup>, now: number): Lookup {
  const { fresh, maxAge } = vertex
  if (fresh !== undefined) {
    return { ...ANY, by: 'none', reason: fresh === 'comment' ? 'cache-never' : 'no-cache' }
  }
  // A linked copy is the same on any root.
  const isOnRoot = vertex.root !== undefined && (vertex.op === 'exec' || !vertex.link)
  const roots = isOnRoot ? [vertex.root] : []
  if (roots.some((id) => limited.get(id)?.by === 'none')) return { ...ANY, by: 'none' }
  const sources = sourcesOf(vertex)
  const isByContent = sources.some((id) => (limited.get(id) ?? ANY).by !== 'any')
  const below = agedIn(roots, limited)
  const beside = agedIn(sources, limited)
  if (!isByContent && maxAge === undefined && below.length + beside.length === 0) return ANY
  const since = maxAge === undefined ? ANY.since : now - maxAge
  return { ...ANY, by: isByContent ? 'content' : 'any', since, below, beside }
}

/** Those of the steps, and of the steps below them, that have a `since`; each once. */
function agedIn(
  ids: readonly VertexId[],
  limited: ReadonlyMap<VertexId, Lookup>,
): readonly VertexId[] {
  const found = ids.flatMap((id) => {
    const { since, below } = limited.get(id) ?? ANY
    return since === ANY.since ? below : [...below, id]
  })
  return [...new Set(found)]
}
