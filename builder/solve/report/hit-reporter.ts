import type { Plan, StepVertex, VertexId } from '#builder/plan'
import type { CacheKey } from '#cache'
import type { KeyKind } from '../keys/vertex-key.ts'
import { isStep, sourcesOf } from '../keys/vertex-kind.ts'
import type { Reporter } from './reporter.ts'

/** What hits are reported by. */
export interface HitReporterDeps {
  readonly reporter: Reporter
  /** True for a vertex that is solved itself, and reported for what it turns out to be. */
  readonly isSolved: (id: VertexId) => boolean
  /** The key that the result of a vertex has in a cache, as far as that is known. */
  readonly keyOf: (id: VertexId) => CacheKey | undefined
}

/** Reports steps that were found, with everything below them that did not have to be solved. */
export class HitReporter {
  readonly #plan: Plan
  readonly #deps: HitReporterDeps
  /** Vertices that were reported with everything below them. */
  readonly #visited = new Set<VertexId>()

  constructor(plan: Plan, deps: HitReporterDeps) {
    this.#plan = plan
    this.#deps = deps
  }

  /** Reports a hit; its root is solved and reported apart. */
  hit(vertex: StepVertex, { by, key }: { readonly by: KeyKind; readonly key: CacheKey }): void {
    for (const source of sourcesOf(vertex)) this.#visit(source)
    this.#deps.reporter.hit(vertex, by, key)
  }

  #visit(id: VertexId): void {
    // Where every stage is copied from twice, the ways down double with each stage.
    if (this.#visited.has(id)) return
    this.#visited.add(id)
    const vertex = this.#plan.vertices.get(id)
    if (vertex === undefined) throw new Error(`no vertex ${id}`)
    if (isStep(vertex)) {
      if (vertex.root !== undefined) this.#visit(vertex.root)
      for (const source of sourcesOf(vertex)) this.#visit(source)
    }
    const { isSolved, keyOf, reporter } = this.#deps
    if (!isSolved(id)) reporter.hit(vertex, 'unused', keyOf(id))
  }
}
