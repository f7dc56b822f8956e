import type { StepVertex } from '#builder/plan'
import type {
  CacheKey,
  Candidate,
  LayerId,
  LayerRecord,
  NewResult,
  RemoteLayer,
  ResultCache,
  Store,
} from '#cache'
import type { Digest, ExecutionReason } from '#core'
import type { KeyKind } from '../keys/vertex-key.ts'
import { fetchLayer, storedTwin } from '../layers/fetched-layer.ts'
import { isOutdated, isRemoteOutdated } from '../layers/layer-owners.ts'
import type { LookupPolicy } from './lookup-policy.ts'
import { ResultAges } from './result-ages.ts'

/** A result that can be used. */
export interface FoundResult extends Pick<Candidate, 'key' | 'createdAt'> {
  readonly by: KeyKind
  /** What a cache knows of it; its inputs are read from the disk when they are asked for. */
  readonly candidate: Candidate
  /** The layer in the store; `undefined` while it is elsewhere only. */
  readonly stored: LayerRecord | undefined
}

/** What is looked up. */
export interface Query {
  readonly vertex: StepVertex
  readonly key: CacheKey
  readonly by: KeyKind
}

/** What a lookup needs. */
export interface LookupDeps {
  readonly store: Store
  readonly results: ResultCache
  readonly policy: LookupPolicy
  readonly signal: AbortSignal | undefined
  /** Gets the family of each step by content that has a result. */
  readonly onFamily: (family: CacheKey) => void
  /** Gets why the layer of a candidate cannot be fetched; the candidate is a miss. */
  readonly onFetchFailure: (cause: unknown) => void
}

/** The results that one call of the cache has found, by the key that was asked for. */
type Answer = Promise<ReadonlyMap<CacheKey, readonly Candidate[]>>

/**
 * Looks results up, by the policy of each step: those of this build, then those of the cache. What was
 * asked once is not asked again unless it is asked to.
 */
export class ResultLookup {
  readonly #deps: LookupDeps
  readonly #answers = new Map<CacheKey, Answer>()
  /** The families that have a result, as one call has answered, by each that was asked for. */
  readonly #families = new Map<CacheKey, Promise<ReadonlySet<CacheKey>>>()
  /** Layers of candidates once they are in the store; `undefined` where fetching one failed. */
  readonly #fetched = new Map<RemoteLayer, Promise<LayerRecord | undefined>>()
  /** Blobs of layers that turned out to be damaged or missing, by where they were to be. */
  readonly #lost = new Map<RemoteLayer['source'], Set<Digest>>()
  /** Results of this build: they are used even where nothing is looked up. */
  readonly #done = new Map<CacheKey, Candidate>()
  readonly #ages: ResultAges
  /** What was asked for once more, since all that was known was too old. */
  readonly #younger = new Map<CacheKey, Promise<readonly Candidate[]>>()

  constructor(deps: LookupDeps) {
    this.#deps = deps
    this.#ages = new ResultAges(deps.policy)
  }

  /** True when the policy of a step lets it be found by such a key. */
  isAllowed({ vertex, by }: Pick<Query, 'vertex' | 'by'>): boolean {
    const allowed = this.#deps.policy(vertex.id).by
    return allowed === 'any' || allowed === by
  }

  /** False for a step that no key may find. */
  mayBeFound({ id }: StepVertex): boolean {
    return this.#deps.policy(id).by !== 'none'
  }

  /** True when the cache has been asked for a key, whether or not the answer has arrived. */
  isAsked(key: CacheKey): boolean {
    return this.#answers.has(key)
  }

  /** Asks the cache for keys that are going to be looked up, in one call. */
  ask(keys: readonly CacheKey[]): void {
    const { results, signal } = this.#deps
    const found = results.find(keys, { signal })
    const answer = found.then((candidates) => Map.groupBy(candidates, keyAskedFor))
    // Rejections reach those that look a key up.
    answer.catch(() => undefined)
    for (const key of keys) this.#answers.set(key, answer)
  }

  /** The result of a step that is stored under a key. */
  async find(query: Query): Promise<FoundResult | undefined> {
    const { key } = query
    const done = this.#done.get(key)
    if (done !== undefined) return this.#usable(query, this.#ages.young(query, [done]))
    if (!this.isAllowed(query)) return undefined
    if (!this.isAsked(key)) this.ask([key])
    const known = (await this.#answers.get(key))?.get(key) ?? []
    const young = this.#ages.young(query, known)
    if (known.length === 0 || young.length > 0) return this.#usable(query, young)
    const younger = await this.#askForYounger(query)
    return this.#usable(query, younger.length === 0 ? [] : this.#ages.young(query, younger))
  }

  /** A cache of several asks no further where the first has a result, which is too old this time. */
  async #askForYounger(query: Query): Promise<readonly Candidate[]> {
    const { results, signal } = this.#deps
    const { key } = query
    const oldest = this.#ages.oldest(query)
    if (oldest === Number.POSITIVE_INFINITY) return []
    const asked = this.#younger.get(key) ?? results.find([key], { signal, since: new Date(oldest) })
    this.#younger.set(key, asked)
    return await asked
  }

  /** As `find`, for what another build may have stored since it was asked for. */
  findAgain(query: Query): Promise<FoundResult | undefined> {
    this.#answers.delete(query.key)
    this.#younger.delete(query.key)
    return this.find(query)
  }

  /** True when the cache has been asked for a family, whether or not the answer has arrived. */
  isFamilyAsked(family: CacheKey): boolean {
    return this.#families.has(family)
  }

  /** Asks the cache which families have a result, in one call. */
  askFamilies(families: readonly CacheKey[]): void {
    const { results, signal } = this.#deps
    const known = results.hasFamilies(families, { signal })
    // Rejections reach those that ask for a family.
    known.catch(() => undefined)
    for (const family of families) this.#families.set(family, known)
  }

  /** True when a version of the step may be found: else its content need not be known before. */
  async hasFamily(vertex: StepVertex, family: CacheKey): Promise<boolean> {
    if (!this.mayBeFound(vertex)) return false
    if (!this.isFamilyAsked(family)) this.askFamilies([family])
    const isKnown = (await this.#families.get(family))?.has(family) === true
    if (isKnown && vertex.op === 'files') this.#deps.onFamily(family)
    return isKnown
  }

  /** Why a step is executed that was not found. */
  async executionReason(vertex: StepVertex, family: CacheKey): Promise<ExecutionReason> {
    if (!this.mayBeFound(vertex)) return this.#deps.policy(vertex.id).reason
    const refused = this.#ages.reason(vertex)
    if (refused !== undefined) return refused
    return (await this.hasFamily(vertex, family)) ? 'input-changed' : 'no-record'
  }

  /** Makes the result of `target` be found by `key`. */
  link(key: CacheKey, target: CacheKey): Promise<void> {
    const { results, signal } = this.#deps
    return results.link(key, target, { signal })
  }

  /** Stores a result of this build. */
  async put(vertex: StepVertex, result: NewResult): Promise<void> {
    const { results, signal } = this.#deps
    const { tar: _, layer, ...facts } = result
    this.#keep({ ...facts, foundBy: result.key }, layer)
    this.#ages.note(vertex, result)
    await results.put(result, { signal })
  }

  /** Stores a result of another machine whose layer is in the store by now. */
  async keep(found: Candidate, layer: LayerId): Promise<void> {
    const { results, signal } = this.#deps
    const { foundBy, layer: remote, ...facts } = found
    this.#keep(found, layer)
    const tar = async () => {
      if (remote.kind === 'remote') return remote
      throw new Error('what is in the store needs no keeping')
    }
    await results.put({ ...facts, layer, tar }, { signal })
    if (foundBy !== facts.key) await results.link(foundBy, facts.key, { signal })
  }

  /** Says that the layer of a candidate cannot be had: nothing is found with it from now on. */
  lose(layer: RemoteLayer, cause: unknown): void {
    const { source, blob } = layer
    this.#lost.set(source, (this.#lost.get(source) ?? new Set()).add(blob.digest))
    this.#deps.onFetchFailure(cause)
  }

  #isLost({ source, blob }: RemoteLayer): boolean {
    return this.#lost.get(source)?.has(blob.digest) === true
  }

  /** That of a RUN is its key. */
  #noteFamily({ family, key }: Pick<Candidate, 'family' | 'key'>): void {
    if (family !== key) this.#deps.onFamily(family)
  }

  #keep(found: Omit<Candidate, 'layer'>, id: LayerId): void {
    this.#noteFamily(found)
    const layer = { kind: 'stored', id, diffId: undefined, size: undefined } as const
    this.#done.set(found.key, { ...found, layer })
  }

  async #usable(
    { vertex, by }: Query,
    results: readonly Candidate[],
  ): Promise<FoundResult | undefined> {
    const { store } = this.#deps
    for (const candidate of results) {
      const { key, createdAt, layer } = candidate
      const stored =
        layer.kind === 'stored' ? store.layers.get(layer.id) : await this.#findStored(layer)
      const isUsable =
        stored === undefined ? this.#isElsewhere(layer) : !isOutdated(vertex, stored, store)
      if (!isUsable) continue
      this.#noteFamily(candidate)
      this.#ages.note(vertex, candidate)
      return { key, createdAt, by, candidate, stored }
    }
    return undefined
  }

  /** True for a layer that is fetched once something needs it. */
  #isElsewhere(layer: Candidate['layer']): boolean {
    return layer.kind === 'remote' && layer.presumed === undefined && !this.#isLost(layer)
  }

  /** Whose owners are presumed is remembered by the store, so such a layer is fetched at once. */
  async #findStored(layer: RemoteLayer): Promise<LayerRecord | undefined> {
    if (this.#isLost(layer)) return undefined
    const twin = storedTwin(layer, this.#deps)
    if (twin !== undefined || layer.presumed === undefined) return twin
    return isRemoteOutdated(layer) ? undefined : await this.#fetch(layer)
  }

  /** Fetches the layer of a candidate once. */
  #fetch(layer: RemoteLayer): Promise<LayerRecord | undefined> {
    const known = this.#fetched.get(layer)
    if (known !== undefined) return known
    const fetched = fetchLayer(layer, this.#deps).catch((cause: unknown) => {
      if (!this.#deps.signal?.aborted) this.#deps.onFetchFailure(cause)
      return undefined
    })
    this.#fetched.set(layer, fetched)
    return fetched
  }
}

function keyAskedFor({ foundBy }: Candidate): CacheKey {
  return foundBy
}
