import type { FilesVertex, Plan, Vertex, VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import type { BuildFact, Json, OnEvent, PlannedVertex } from '#core'
import { hasRun, type TracedVertex } from './trace.ts'

/** Characters of the document of a key that is kept of a step without a record. */
const MOST_PREIMAGE = 64 * 1024

/** Notes what becomes of the vertices of a build: from its plans, and from facts while they happen. */
export class TraceRecorder {
  readonly #vertices = new Map<VertexId, TracedVertex>()
  readonly #planned = new Map<VertexId, Vertex>()
  readonly #preimages = new Map<VertexId, Json>()

  /** To be called before what it consists of is planned for events. */
  addPlan({ vertices }: Plan): void {
    for (const [id, vertex] of vertices) this.#planned.set(id, vertex)
  }

  /** Hands facts on, after it has seen them. */
  watching(onEvent: OnEvent): OnEvent {
    return (fact) => {
      this.#see(fact)
      onEvent(fact)
    }
  }

  /** Notes the document of the key by which a step is going to be executed. */
  execute(id: VertexId, preimage: Json): void {
    this.#preimages.set(id, preimage)
  }

  /** True once a step was executed. */
  get hasRun(): boolean {
    return [...this.#vertices.values()].some(hasRun)
  }

  /** What is known by now. */
  vertices(): readonly TracedVertex[] {
    return Array.from(this.#vertices.values(), (vertex) => {
      const preimage = this.#preimages.get(vertex.id)
      const isKept = hasRun(vertex) && vertex.key === undefined && preimage !== undefined
      if (!isKept || JSON.stringify(preimage).length > MOST_PREIMAGE) return vertex
      return { ...vertex, preimage }
    })
  }

  #see(fact: BuildFact): void {
    switch (fact.type) {
      case 'planned':
        for (const vertex of fact.vertices) this.#plan(vertex)
        return
      case 'started':
        if (fact.reason === undefined) return
        this.#update(fact.vertex, { reason: fact.reason, ...this.#known(fact.vertex) })
        return
      case 'cached':
        this.#update(fact.vertex, {
          end: 'cached',
          ...(fact.by && { by: fact.by }),
          ...keyOf(fact),
        })
        return
      case 'done':
        this.#update(fact.vertex, { end: 'done', ...keyOf(fact) })
        return
      case 'failed':
      case 'cancelled':
        this.#update(fact.vertex, { end: fact.type })
    }
  }

  #plan({ id, name, op, stage, lines, platform }: PlannedVertex): void {
    const vertex = this.#planned.get(id)
    const place = [lines.start, lines.end] as const
    this.#vertices.set(id, { id, name, op, stage, lines: place, platform, ...linksOf(vertex) })
  }

  #update(id: VertexId, news: Partial<TracedVertex>): void {
    const known = this.#vertices.get(id)
    if (known !== undefined) this.#vertices.set(id, { ...known, ...news })
  }

  /** What a later question about an executed step may need of its plan. */
  #known(id: VertexId): Pick<TracedVertex, 'args' | 'path'> {
    const vertex = this.#planned.get(id)
    if (vertex?.op === 'files') return pathOf(vertex)
    if (vertex?.op !== 'exec') return {}
    const args = Array.from(vertex.args, ([name]) => name)
    return args.length === 0 ? {} : { args }
  }
}

function pathOf({ actions }: FilesVertex): Pick<TracedVertex, 'path'> {
  const paths = actions.flatMap((action) => (action.kind === 'copy' ? action.paths : []))
  const [path, ...others] = paths
  return path === undefined || others.length > 0 ? {} : { path }
}

function keyOf({ key }: { readonly key?: string }): Pick<TracedVertex, 'key'> {
  return key === undefined ? {} : { key: key as CacheKey }
}

function linksOf(vertex: Vertex | undefined): Partial<TracedVertex> {
  if (vertex?.op !== 'exec' && vertex?.op !== 'files') return {}
  const place = vertex.op === 'files' && vertex.link ? 'under' : 'root'
  const sources = (vertex.sources as readonly (typeof vertex.sources)[number][]).map((source) =>
    source.kind === 'vertex' ? (source.vertex ?? null) : null,
  )
  return {
    ...(vertex.root === undefined ? {} : { [place]: vertex.root }),
    ...(sources.length === 0 ? {} : { sources }),
    ...(vertex.internal === true ? { internal: true } : {}),
  }
}
