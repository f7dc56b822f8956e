import type { StepVertex, VertexId } from '#builder/plan'
import type { CachedResult } from '#cache'
import type { ExecutionReason } from '#core'
import type { KeyKind } from '../keys/vertex-key.ts'
import type { LookupPolicy } from './lookup-policy.ts'

/** What a result is looked up for. */
interface AgedQuery {
  readonly vertex: StepVertex
  readonly by: KeyKind
}

/** Which results are too old for which steps: by the policy, and by the results of the steps below. */
export class ResultAges {
  readonly #policy: LookupPolicy
  /** When the results of steps were made, of those that have one by now: milliseconds since 1970. */
  readonly #madeAt = new Map<VertexId, number>()
  /** Why the results that were found for a step are not used. */
  readonly #refused = new Map<VertexId, ExecutionReason>()

  constructor(policy: LookupPolicy) {
    this.#policy = policy
  }

  /** To be called with the result that a step has in this build. */
  note({ id }: StepVertex, { createdAt }: Pick<CachedResult, 'createdAt'>): void {
    this.#madeAt.set(id, createdAt.getTime())
  }

  /** Results that were made before count for nothing; `Infinity` as long as a step below has none. */
  oldest({ vertex, by }: AgedQuery): number {
    const { since, below, beside } = this.#policy(vertex.id)
    const inputs = by === 'content' ? below : [...below, ...beside]
    return Math.max(since, ...inputs.map((id) => this.#madeAt.get(id) ?? Number.POSITIVE_INFINITY))
  }

  /** Those of the results of a step that are not too old for it. */
  young<T extends Pick<CachedResult, 'createdAt'>>(
    query: AgedQuery,
    results: readonly T[],
  ): readonly T[] {
    const { id } = query.vertex
    const oldest = this.oldest(query)
    const young = results.filter(({ createdAt }) => createdAt.getTime() >= oldest)
    this.#refused.delete(id)
    if (young.length === 0 && results.length > 0) {
      const { since } = this.#policy(id)
      const isExpired = results.every(({ createdAt }) => createdAt.getTime() < since)
      this.#refused.set(id, isExpired ? 'expired' : 'input-executed')
    }
    return young
  }

  /** Why a step is executed of which only older results were found. */
  reason({ id }: StepVertex): ExecutionReason | undefined {
    return this.#refused.get(id)
  }
}
