import type { CacheKey, CacheRecord } from '#cache'
import { type ExecutionReason, type Json, TsbuildError } from '#core'
import { withoutSecrets } from './differences/secrets.ts'
import { stepDifferences } from './differences/step-differences.ts'
import { EarlierBuilds, type EarlierStep, type EarlierStore } from './earlier-builds.ts'
import { fileChanges } from './files/file-changes.ts'
import { type LayerStore, openListings } from './files/layer-listing.ts'
import { shownPaths } from './files/shown-paths.ts'
import {
  belowDifference,
  type ComparedLayers,
  type FoundDifference,
  inputDifferences,
  placeOf,
  type Version,
} from './inputs.ts'
import type {
  BuildExplanation,
  Difference,
  EarlierResult,
  FileChanges,
  StepExplanation,
  StepOutcome,
  UnknownChanges,
} from './report/explanation.ts'
import { hasRun, isStep, type Trace, type TracedVertex } from './trace/trace.ts'

/** What explanations are made of. */
export type ExplainStore = EarlierStore & LayerStore

/** What was found out about one step. */
interface Found {
  readonly earlier: EarlierResult | undefined
  readonly differences: readonly FoundDifference[]
}

const NOTHING: Found = { earlier: undefined, differences: [] }

/** Reasons for which a step runs, although nothing is different, when its result is gone. */
const MISSED: ReadonlySet<ExecutionReason | undefined> = new Set(['no-record', 'input-changed'])

/** Explains steps of one build: finds their earlier versions, and what is different. */
export class Explainer {
  readonly #trace: Trace
  readonly #store: ExplainStore
  readonly #earlier: EarlierBuilds
  readonly #vertices: ReadonlyMap<string, TracedVertex>
  /** The vertices as this build had them, where that is known. */
  readonly #own: ReadonlyMap<TracedVertex, Version>
  readonly #found = new Map<TracedVertex, Found>()
  /** They say what the secrets are. Those of all vertices: the name of any may be said, and have its secrets. */
  readonly #documents: Set<Json>

  constructor(trace: Trace, store: ExplainStore) {
    this.#trace = trace
    this.#store = store
    this.#earlier = new EarlierBuilds(trace, store)
    this.#vertices = new Map(trace.vertices.map((vertex) => [vertex.id, vertex]))
    this.#own = versionsIn(trace, store)
    this.#documents = new Set(this.#own.values().map(({ document }) => document))
  }

  /** @param ids of the steps that are asked for; default: those that ran */
  async explain(ids?: ReadonlySet<string>): Promise<BuildExplanation> {
    const { context, dockerfile, createdAt, vertices } = this.#trace
    const steps = vertices.filter(isStep)
    const wanted = steps.filter((one) => (ids === undefined ? hasRun(one) : ids.has(one.id)))
    const explanations: StepExplanation[] = []
    // One after another: each may compare layers of any size.
    for (const vertex of wanted) explanations.push(await this.#explain(vertex))
    const explanation = {
      version: 1,
      ...{ context, dockerfile, time: createdAt.toISOString() },
      total: steps.length,
      ran: steps.filter(hasRun).length,
      cached: steps.filter(({ end }) => end === 'cached').length,
      steps: explanations,
    } as const
    return withoutSecrets(explanation, this.#documents)
  }

  async #explain(vertex: TracedVertex): Promise<StepExplanation> {
    const { stage, platform, reason, key, lines } = vertex
    const { earlier, differences } = this.#find(vertex)
    const below = this.#chainBelow(vertex)
    const known = new Set(below.flatMap((one) => this.#find(one).differences.map(identityOf)))
    const told: Difference[] = []
    for (const found of differences) {
      const { layers, source, ...difference } = found
      const first = found.what === 'files' && source ? this.#chainBelow(source).at(-1) : undefined
      const files = layers === undefined ? {} : { files: await this.#compare(layers, differences) }
      const isRepeated = isOfStep(difference) && known.has(identityOf(found))
      told.push({
        ...difference,
        ...files,
        ...(isRepeated ? { repeated: true } : {}),
        ...(first === undefined ? {} : { firstCause: placeOf(first) }),
      })
    }
    const lowest = below.at(-1)
    return {
      ...placeOf(vertex),
      ...{ end: lines[1], stage, platform, outcome: outcomeOf(vertex) },
      ...(reason === undefined ? {} : { reason }),
      ...(key === undefined ? {} : { key }),
      ...(earlier === undefined ? {} : { earlier }),
      differences: told,
      ...(lowest === undefined ? {} : { firstCause: placeOf(lowest) }),
    }
  }

  /** The steps below that ran first, from the nearest one to the one that has a cause of its own. */
  #chainBelow(vertex: TracedVertex): readonly TracedVertex[] {
    const chain: TracedVertex[] = []
    for (let below = this.#below(vertex); below !== undefined; below = this.#below(below)) {
      chain.push(below)
    }
    return chain
  }

  /** The step below, where that is a cause. */
  #below(vertex: TracedVertex): TracedVertex | undefined {
    return this.#find(vertex).differences.find(({ what }) => what === 'below')?.source
  }

  #find(vertex: TracedVertex): Found {
    const known = this.#found.get(vertex)
    if (known !== undefined) return known
    const found = this.#lookFor(vertex)
    this.#found.set(vertex, found)
    return found
  }

  #lookFor(vertex: TracedVertex): Found {
    const own = this.#own.get(vertex)
    const versions = this.#earlier.versionsOf(vertex)
    const [latest] = versions
    if (own === undefined) return latest === undefined ? NOTHING : uncomparedOf(latest)
    const compared = [...versions, ...this.#ofFamily(own)].flatMap((version) =>
      this.#compareTo(version, own),
    )
    // Of several that differ equally little the latest is meant.
    const best = compared.toSorted((a, b) => costOf(a) - costOf(b))[0]
    return best ?? NOTHING
  }

  /** Where no build is remembered, another version of a copy may be. */
  #ofFamily({ vertex }: Version): readonly EarlierStep[] {
    if (vertex.op !== 'files') return []
    const record = vertex.key && this.#store.records.peek(vertex.key)
    const other = record && this.#store.records.newestOfFamily(record.family, record.createdAt)
    if (other === undefined) return []
    return [{ vertex, trace: { vertices: [] }, key: other.key, record: other }]
  }

  /** Nothing for a step of which nothing is known but that it was there. */
  #compareTo(version: EarlierStep, own: Version): readonly Found[] {
    const { vertex, trace, key, record } = version
    if (key !== undefined && key === own.vertex.key) return [this.#same(version, own.vertex, key)]
    const document = record?.preimage ?? vertex.preimage
    if (document === undefined) return key === undefined ? [] : [goneOf(vertex.name, key)]
    const before: Version = { vertex, trace, document, layer: record?.layer }
    const args = new Set([...(vertex.args ?? []), ...(own.vertex.args ?? [])])
    const recordOf = (one: CacheKey): CacheRecord | undefined => this.#store.records.peek(one)
    this.#documents.add(document)
    const differences = [
      ...(record === undefined ? [failureOf(vertex)] : []),
      ...stepDifferences(document, own.document, (name) => args.has(name)),
      ...inputDifferences(before, own, recordOf),
    ]
    const earlier = record === undefined ? { name: vertex.name } : resultOf(record)
    return [{ earlier, differences }]
  }

  /** The very step. Where it ran again, that was asked for, or its result was gone; the new one is there now. */
  #same({ vertex, record }: EarlierStep, { reason, root }: TracedVertex, key: CacheKey): Found {
    if (reason === undefined && record !== undefined) {
      return { earlier: resultOf(record), differences: [] }
    }
    const earlier = { name: vertex.name, key }
    if (MISSED.has(reason)) return { earlier, differences: [{ what: 'result', change: 'removed' }] }
    const below = root === undefined ? undefined : this.#vertices.get(root)
    const isBecauseOfIt = reason === 'input-executed' && below !== undefined && hasRun(below)
    return { earlier, differences: isBecauseOfIt ? [belowDifference(below)] : [] }
  }

  async #compare(
    { from, to, document, path }: ComparedLayers,
    differences: readonly Difference[],
  ): Promise<FileChanges | UnknownChanges> {
    if (to === undefined) return { unknown: 'the step has not made its layer' }
    if (from === undefined) return { unknown: 'no earlier layer is known' }
    try {
      const [before, after] = await openListings([from, to], this.#store)
      using _before = before
      using _after = after
      if (before === undefined || after === undefined) {
        const which = before === undefined ? 'the earlier' : 'its'
        return { unknown: `${which} layer is not in the store any more` }
      }
      const has = (what: string): boolean => differences.some((one) => one.what === what)
      const byStep = { mode: has('mode'), owner: has('owner') || has('group of the owner') }
      const paths = [...before.files.keys(), ...after.files.keys()]
      const shownPath = shownPaths({ document, path }, paths)
      const changes = fileChanges(before.files, after.files, { shownPath, byStep })
      return changes.count === 0 ? { unknown: 'both layers hold the same files' } : changes
    } catch (cause) {
      // What explains must not fail for a damaged layer, which the next build that uses it mends.
      if (!(cause instanceof TsbuildError)) throw cause
      return { unknown: cause.message }
    }
  }
}

/** The vertices of a build of which it is known what their keys are made of. */
function versionsIn(trace: Trace, { records }: EarlierStore): ReadonlyMap<TracedVertex, Version> {
  const versions = new Map<TracedVertex, Version>()
  for (const vertex of trace.vertices) {
    const record = vertex.key && records.peek(vertex.key)
    const document = record?.preimage ?? vertex.preimage
    if (document === undefined) continue
    versions.set(vertex, { vertex, trace, document, layer: record?.layer })
  }
  return versions
}

/** What it is done on, and which files, is not the same for two steps, although it is called so. */
function isOfStep({ what }: Difference): boolean {
  return what !== 'below' && what !== 'files' && what !== 'base'
}

/** Equal for one cause that two steps have. */
function identityOf({ what, name, change, from, to }: FoundDifference): string {
  return JSON.stringify([what, name, change, from, to])
}

/** What is gone can be compared with nothing: everything else is nearer. */
function costOf({ differences }: Found): number {
  const isGone = differences.some(({ what }) => what === 'record')
  return isGone ? Number.POSITIVE_INFINITY : differences.length
}

/** What is known of the step is how it has failed, or that it was stopped. */
function failureOf({ end = 'failed' }: TracedVertex): Difference {
  return { what: 'failure', change: 'changed', name: end }
}

function resultOf({ description, key, createdAt }: CacheRecord): EarlierResult {
  return { name: description, key, time: createdAt.toISOString() }
}

/** Its result is not in the store any more, so it cannot be compared. */
function goneOf(name: string, key: CacheKey): Found {
  return { earlier: { name, key }, differences: [{ what: 'record', change: 'removed' }] }
}

/** Of this build it is not known what the step was. */
function uncomparedOf({ record }: EarlierStep): Found {
  return record === undefined ? NOTHING : { earlier: resultOf(record), differences: [] }
}

function outcomeOf({ end, by }: TracedVertex): StepOutcome {
  if (end === undefined) return 'not reached'
  return end === 'cached' && by === 'unused' ? 'unused' : end
}
