import type { CacheKey, CacheRecord, Store } from '#cache'
import { counterparts, likenessOf } from './trace/counterparts.ts'
import { readTrace, type Trace, type TracedVertex } from './trace/trace.ts'

/** What earlier builds and their results are read from. */
export type EarlierStore = Pick<Store, 'records' | 'traces'>

/** A step as an earlier build had it. */
export interface EarlierStep {
  readonly vertex: TracedVertex
  readonly trace: Pick<Trace, 'vertices'>
  /** `undefined` for a step that left no result. */
  readonly key: CacheKey | undefined
  /** `undefined` where the store has none any more. */
  readonly record: CacheRecord | undefined
}

/** Builds of other Dockerfiles and contexts that are looked at, where this one is not known. */
const MOST_OTHERS = 64
/** Those of them that are compared. */
const MOST_COMPARED = 4

/**
 * The builds before one, and which of their steps are earlier versions of its steps. They are those of the
 * same Dockerfile and context; without any, the four that have most steps in common, which may be of the same
 * Dockerfile in another folder.
 */
export class EarlierBuilds {
  readonly #store: EarlierStore
  readonly #builds: readonly {
    readonly trace: Trace
    readonly pairs: ReadonlyMap<TracedVertex, TracedVertex>
  }[]

  constructor(trace: Trace, store: EarlierStore) {
    this.#store = store
    this.#builds = buildsBefore(trace, store).map((earlier) => {
      return { trace: earlier, pairs: counterparts(trace, earlier) }
    })
  }

  /** The step in each of the builds that had it, the latest build first. */
  versionsOf(vertex: TracedVertex): readonly EarlierStep[] {
    return this.#builds.flatMap(({ trace, pairs }) => {
      const earlier = pairs.get(vertex)
      if (earlier === undefined) return []
      const { key } = earlier
      return [{ vertex: earlier, trace, key, record: key && this.#store.records.peek(key) }]
    })
  }
}

function buildsBefore(trace: Trace, { traces }: EarlierStore): readonly Trace[] {
  const { context, dockerfile, id: before } = trace
  const find = (place: object, limit: number): readonly Trace[] =>
    traces.find({ ...place, before, limit }).flatMap((stored) => readTrace(stored) ?? [])
  const own = find({ context, dockerfile }, Number.MAX_SAFE_INTEGER)
  if (own.length > 0) return own
  const others = find({}, MOST_OTHERS).map((other) => ({ other, alike: likenessOf(trace, other) }))
  return others
    .filter(({ alike }) => alike > 0)
    .toSorted((a, b) => b.alike - a.alike)
    .slice(0, MOST_COMPARED)
    .map(({ other }) => other)
}
