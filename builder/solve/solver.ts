import type { Fetcher } from '#builder/fetch'
import type {
  FilesSource,
  FilesVertex,
  ImageVertex,
  Plan,
  RemoteVertex,
  StepVertex,
  Vertex,
  VertexId,
} from '#builder/plan'
import type { Sandbox } from '#builder/sandbox'
import type { CacheKey, CacheRecord, LayerId, Store } from '#cache'
import {
  type Digest,
  type ExecutionReason,
  type Platform,
  TsbuildError,
  throwIfCancelled,
  typedFailure,
} from '#core'
import { SourceError } from '#parser'
import { BaseImageLayer } from './base-image-layer.ts'
import { BuiltLayer } from './built-layer.ts'
import type { StepSecrets } from './exec-mounts.ts'
import type { Layer, LayerDeps } from './layer.ts'
import { isOutdated } from './layer-owners.ts'
import { type Lookup, lookupsOf } from './lookups.ts'
import { mountedFiles } from './mounted-files.ts'
import { runExec } from './op-exec.ts'
import { type ContextTree, contentOf, type FilesWork, runFiles } from './op-files.ts'
import { fetchLayer } from './op-image.ts'
import { fetchRemote } from './op-remote.ts'
import type { Reporter } from './reporter.ts'
import { confirmBases, type Probe, type Result, type ResultLayer } from './result.ts'
import type { Schedule } from './schedule.ts'
import { Underway } from './underway.ts'
import {
  execKey,
  filesFamily,
  filesKey,
  imageKey,
  type KeyedStep,
  linkedKey,
} from './vertex-key.ts'
import { isRemote, isStep } from './vertex-kind.ts'
import type { WorkPool } from './work-pool.ts'

export interface SolveDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly sandbox: () => Promise<Sandbox>
  readonly fetcher: () => Fetcher
  readonly secrets: StepSecrets
  /** Bounds how many steps are under way. */
  readonly schedule: Schedule
  readonly context: ContextTree
  /** The folders among the named contexts. */
  readonly namedContexts?: ReadonlyMap<string, ContextTree> | undefined
  readonly host: Platform
  readonly reporter: Reporter
  readonly noCache: boolean
  /** Layers of the image are wanted as tars: for every output but plain files. */
  readonly wantsTars: boolean
  readonly signal: AbortSignal | undefined
}

/** What a step gives: which layer, or the key of a record that has it. */
export interface StepOutcome {
  readonly step: KeyedStep
  readonly layer: LayerId
  readonly createdAt: Date
}

/** How a key names what a step takes from others. */
type KeyKind = 'definition' | 'content'

interface Step {
  readonly family: CacheKey
  /** The key by which the step is looked up first. */
  readonly definition: KeyedStep | undefined
}

/**
 * Solves vertices on demand: each is looked up before it is done, and done once. Keys come in two
 * kinds. By definition: what the step is and the keys of its inputs; nothing has to exist for that.
 * By content: what the copied files hold; an input that was made anew but came out the same leads
 * back to what is there already.
 */
export class Solver implements AsyncDisposable {
  readonly #plan: Plan
  readonly #deps: SolveDeps
  readonly #layerDeps: LayerDeps
  readonly #probes = new Map<VertexId, Promise<Probe>>()
  readonly #results = new Map<VertexId, Promise<Result>>()
  readonly #contents = new Map<VertexId, Promise<Digest>>()
  readonly #underway = new Underway()
  readonly #stop = new AbortController()
  readonly #seals: Promise<void>[] = []
  /** Keys of what was done here: that may be found even where nothing is looked up. */
  readonly #done = new Set<CacheKey>()
  readonly #lookupOf: (id: VertexId) => Lookup
  /** Vertices that something runs on top of, or copies from: their layers are wanted as directories. */
  readonly #lookedInto: ReadonlySet<VertexId>
  /** The vertices whose layers the image is made of. */
  readonly #inImage: ReadonlySet<VertexId>
  /** Hits that have been told of, with all that is below them. */
  readonly #reportedBelow = new Set<VertexId>()

  constructor(plan: Plan, deps: SolveDeps) {
    const signal = AbortSignal.any([this.#stop.signal, ...(deps.signal ? [deps.signal] : [])])
    this.#plan = plan
    this.#deps = { ...deps, signal }
    this.#layerDeps = { store: deps.store, pool: deps.pool, underway: this.#underway, signal }
    this.#lookupOf = lookupsOf(plan, deps)
    this.#lookedInto = lookedInto(plan)
    this.#inImage = new Set(chainOf(plan, plan.image.top))
  }

  /** The layers of the image, bottom first. After a failure nothing is under way any more. */
  async solve(): Promise<readonly ResultLayer[]> {
    const { top } = this.#plan.image
    if (top === undefined) return []
    try {
      this.#askRemotes()
      const { layers } = await this.#realize(top)
      await confirmBases(layers)
      await Promise.all(this.#seals)
      return layers
    } catch (cause) {
      await this[Symbol.asyncDispose]()
      throw cause
    }
  }

  /** Stops what is under way, the making of layers too, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new TsbuildError('the build has ended', { code: 'CANCELLED' }))
    await this.#underway.ended()
  }

  /** At once and side by side: no step that uses one can be looked up before. */
  #askRemotes(): void {
    for (const vertex of this.#plan.vertices.values()) {
      if (isRemote(vertex)) void this.#realize(vertex.id)
    }
  }

  #realize(id: VertexId): Promise<Result> {
    const known = this.#results.get(id)
    if (known !== undefined) return known
    const result = this.#underway.add(this.#solveVertex(this.#vertex(id)))
    this.#results.set(id, result)
    return result
  }

  #probe(id: VertexId): Promise<Probe> {
    const known = this.#probes.get(id)
    if (known !== undefined) return known
    const probe = this.#probeVertex(this.#vertex(id))
    this.#probes.set(id, probe)
    return probe
  }

  #vertex(id: VertexId): Vertex {
    const vertex = this.#plan.vertices.get(id)
    if (vertex === undefined) throw new Error(`no vertex ${id}`)
    return vertex
  }

  async #probeVertex(vertex: Vertex): Promise<Probe> {
    if (vertex.op === 'image') return { key: imageKey(vertex), isCached: true }
    if (isRemote(vertex)) return { key: (await this.#realize(vertex.id)).key, isCached: true }
    const root = vertex.root === undefined ? undefined : await this.#probe(vertex.root)
    const { definition, family } = await this.#stepOf(vertex, root?.key)
    if (definition === undefined) return { key: family, isCached: false }
    const record = this.#find(vertex, definition.key, 'definition')
    if (record === undefined) return { key: definition.key, isCached: false }
    return { key: resultKey(vertex, root?.key, record.key), isCached: true }
  }

  /**
   * The key by definition; `undefined` when only doing the step can tell. An input that was made
   * has the key `made`; of any other the probe tells what it should be.
   */
  async #stepOf(
    vertex: StepVertex,
    root: CacheKey | undefined,
    made?: readonly CacheKey[],
  ): Promise<Step> {
    const probe = async (id: VertexId): Promise<CacheKey> => (await this.#probe(id)).key
    if (vertex.op === 'exec') {
      const inputs = made ?? (await Promise.all(sourcesOf(vertex).map(probe)))
      const input = inputs.length === 0 ? undefined : { definition: inputs }
      const definition = execKey(vertex, root, input)
      return { definition, family: definition.key }
    }
    const family = filesFamily(vertex, root)
    if (vertex.sources.length === 0)
      return { definition: filesKey(vertex, root, undefined), family }
    if (isFromContext(vertex)) {
      // A step that was never built has no record to find: then it is digested while it is copied.
      const isNew =
        this.#lookupOf(vertex.id) === 'none' || !this.#deps.store.records.hasFamily(family)
      if (isNew) return { definition: undefined, family }
      const content = await this.#contentOf(vertex, [])
      return { definition: filesKey(vertex, root, { content }), family }
    }
    const inputs = made ?? (await Promise.all(sourcesOf(vertex).map(probe)))
    // Nothing of it is known by a key: an empty stage.
    const definition = inputs.length === 0 ? [null] : inputs
    return { definition: filesKey(vertex, root, { definition }), family }
  }

  async #solveVertex(vertex: Vertex): Promise<Result> {
    throwIfCancelled(this.#deps.signal, vertex.name)
    try {
      if (vertex.op === 'image') return await this.#solveImage(vertex)
      if (isRemote(vertex)) return await this.#solveRemote(vertex)
      return await this.#solveStep(vertex)
    } catch (cause) {
      throw atVertex(vertex, cause)
    }
  }

  async #solveImage(vertex: ImageVertex): Promise<Result> {
    const { reporter } = this.#deps
    reporter.hit(vertex, 'definition', imageKey(vertex))
    const layers = vertex.base.layers.map((base): ResultLayer => {
      const fetch = (): Promise<void> => fetchLayer(base, vertex, this.#deps)
      return { vertex: undefined, layer: new BaseImageLayer(base, this.#layerDeps, fetch) }
    })
    return { key: imageKey(vertex), layers }
  }

  async #solveRemote(vertex: RemoteVertex): Promise<Result> {
    const { key, layer: id, createdAt } = await fetchRemote(vertex, this.#deps)
    const record = this.#deps.store.layers.get(id)
    if (record === undefined) throw new Error('what was fetched is in the store')
    const layer = new BuiltLayer(record, createdAt, this.#layerDeps)
    return { key, layers: [{ vertex: undefined, layer }] }
  }

  async #solveStep(vertex: StepVertex): Promise<Result> {
    const probe = await this.#probe(vertex.id)
    if (vertex.op === 'exec' && !probe.isCached) this.#warmUp()
    // A step that has to be done wants its other input as well: both are made at the same time.
    const sourceIds = probe.isCached ? [] : sourcesOf(vertex)
    const [root, ...sources] = await Promise.all([
      vertex.root === undefined ? undefined : this.#realize(vertex.root),
      ...sourceIds.map((id) => this.#realize(id)),
    ])
    const made = sourceIds.length === 0 ? undefined : sources.map(({ key }) => key)
    const step = await this.#stepOf(vertex, root?.key, made)
    const known = this.#hit(vertex, root, { step: step.definition, by: 'definition' })
    return known ?? this.#perform(vertex, root, step)
  }

  /** The result of a step that is found by `step`'s key. */
  #hit(
    vertex: StepVertex,
    root: Result | undefined,
    { step, by }: { readonly step: KeyedStep | undefined; readonly by: KeyKind },
  ): Result | undefined {
    const found = step && this.#find(vertex, step.key, by)
    if (found?.layer === undefined) return undefined
    this.#reportHit(vertex, by, found.key)
    const { key, layer, createdAt } = found
    return this.#stacked(vertex, root, { key, layer, at: createdAt })
  }

  /** The sandbox takes a fifth of a second to start, in which what the step waits for is made. */
  #warmUp(): void {
    this.#deps.sandbox().catch(() => undefined)
  }

  async #perform(vertex: StepVertex, root: Result | undefined, step: Step): Promise<Result> {
    const { store, signal, reporter, schedule } = this.#deps
    const below = root?.layers.map(({ layer }) => layer) ?? []
    const content = await this.#contentStep(vertex, root)
    if (content !== undefined && step.definition !== undefined) {
      store.records.alias(step.definition.key, content.key)
    }
    const again = this.#hit(vertex, root, { step: content, by: 'content' })
    if (again !== undefined) return again
    const leased = content ?? step.definition
    await using _lease =
      leased === undefined
        ? undefined
        : await store.lease(leased.key, { signal, what: vertex.name })
    const by = content === undefined ? 'definition' : 'content'
    const meanwhile = this.#hit(vertex, root, { step: leased, by })
    if (meanwhile !== undefined) return meanwhile
    const done = await schedule(() => {
      throwIfCancelled(signal, vertex.name)
      return reporter.step(vertex, this.#reasonFor(vertex, step), () =>
        this.#run(vertex, below, leased, root),
      )
    })
    store.records.put({
      ...done.step,
      family: step.family,
      layer: done.layer,
      description: vertex.name,
    })
    const { key } = done.step
    this.#done.add(key)
    // The record's time, not the clock's: a build from the cache must make the very same image.
    const at = store.records.find(key)?.createdAt ?? done.createdAt
    const result = this.#stacked(vertex, root, { key, layer: done.layer, at })
    if (vertex.op === 'exec') this.#seal(result)
    return result
  }

  /** For what a step takes from another stage: the key by what the selected files hold. */
  async #contentStep(vertex: StepVertex, root: Result | undefined): Promise<KeyedStep | undefined> {
    if (vertex.op === 'exec') {
      if (!sourcesOf(vertex).some((id) => isNamedByKey(this.#vertex(id)))) return undefined
      const content = await this.#contentOf(mountedFiles(vertex), [])
      return execKey(vertex, root?.key, { content })
    }
    if (vertex.sources.length === 0 || isFromContext(vertex)) {
      return undefined
    }
    const below = root?.layers.map(({ layer }) => layer) ?? []
    return filesKey(vertex, root?.key, { content: await this.#contentOf(vertex, below) })
  }

  #contentOf(vertex: FilesVertex, below: readonly Layer[]): Promise<Digest> {
    const known = this.#contents.get(vertex.id)
    if (known !== undefined) return known
    const content = this.#sourceLayers(vertex).then((sources) =>
      contentOf(vertex, { below, sources }, this.#deps),
    )
    this.#contents.set(vertex.id, content)
    return content
  }

  #sourceLayers({ sources }: FilesVertex): Promise<FilesWork['sources']> {
    return Promise.all(
      sources.map(async (source) => {
        if (source.kind === 'context' || source.vertex === undefined) return []
        return (await this.#realize(source.vertex)).layers.map(({ layer }) => layer)
      }),
    )
  }

  async #run(
    vertex: StepVertex,
    below: readonly Layer[],
    leased: KeyedStep | undefined,
    root: Result | undefined,
  ): Promise<StepOutcome> {
    if (vertex.op === 'exec') {
      if (leased === undefined) throw new Error('a RUN step is always known by definition')
      const sources = await Promise.all(
        vertex.sources.map(({ vertex: id }) => (id === undefined ? undefined : this.#realize(id))),
      )
      return runExec(vertex, { below, sources, step: leased }, this.#deps)
    }
    return runFiles(
      vertex,
      {
        below,
        sources: await this.#sourceLayers(vertex),
        // A file of the context may have changed since its digest was taken: what was copied counts.
        keyOf: (content) =>
          leased === undefined || isFromContext(vertex)
            ? filesKey(vertex, root?.key, { content })
            : leased,
        forms: this.#formsOf(vertex.id),
      },
      this.#deps,
    )
  }

  #stacked(
    vertex: StepVertex,
    root: Result | undefined,
    own: { readonly key: CacheKey; readonly layer: LayerId; readonly at: Date },
  ): Result {
    const record = this.#deps.store.layers.get(own.layer)
    if (record === undefined) throw new Error('a found record has its layer')
    const layer = new BuiltLayer(record, own.at, this.#layerDeps)
    const below = root?.layers ?? []
    const layers = [...below, { vertex: vertex.id, layer }]
    if (this.#deps.wantsTars && this.#inImage.has(vertex.id)) {
      // Packed while the next step runs; who asks for the tar hears of its failure.
      void layer.tar(below.map((lower) => lower.layer))
    }
    return { key: resultKey(vertex, root?.key, own.key), layers }
  }

  /** Where packing does not do it: while the next step runs. */
  #seal({ layers }: Result): void {
    const own = layers.at(-1)
    if (own?.vertex === undefined || !(own.layer instanceof BuiltLayer)) return
    if (this.#deps.wantsTars && this.#inImage.has(own.vertex)) return
    const below = layers.slice(0, -1).map(({ layer }) => layer)
    this.#seals.push(this.#underway.add(own.layer.seal(below)))
  }

  #formsOf(id: VertexId): FilesWork['forms'] {
    const wantsTar = this.#deps.wantsTars && this.#inImage.has(id)
    if (!wantsTar) return ['directory']
    return this.#lookedInto.has(id) ? ['directory', 'tar'] : ['tar']
  }

  #reasonFor({ id }: StepVertex, { family }: Step): ExecutionReason {
    if (this.#lookupOf(id) === 'none') return 'no-cache'
    return this.#deps.store.records.hasFamily(family) ? 'input-changed' : 'no-record'
  }

  /** A record whose layer is still there. */
  #find(vertex: Vertex, key: CacheKey, by: KeyKind): CacheRecord | undefined {
    const { store } = this.#deps
    const lookup = this.#lookupOf(vertex.id)
    const mayBeFound = lookup === 'any' || lookup === by || this.#done.has(key)
    if (!mayBeFound) return undefined
    const record = store.records.find(key)
    if (record?.layer === undefined) return undefined
    const layer = store.layers.get(record.layer)
    return layer === undefined || isOutdated(vertex, layer, store) ? undefined : record
  }

  /** Everything below a hit that nobody had to look at is a hit, too. */
  #reportHit(vertex: StepVertex, by: KeyKind, key: CacheKey): void {
    for (const source of sourcesOf(vertex)) this.#reportHitsBelow(source)
    this.#deps.reporter.hit(vertex, by, key)
  }

  #reportHitsBelow(id: VertexId): void {
    // Where every stage is copied from twice, the ways down double with each stage.
    if (this.#reportedBelow.has(id)) return
    this.#reportedBelow.add(id)
    const vertex = this.#vertex(id)
    if (isStep(vertex)) {
      if (vertex.root !== undefined) this.#reportHitsBelow(vertex.root)
      for (const source of sourcesOf(vertex)) this.#reportHitsBelow(source)
    }
    if (!this.#results.has(id)) this.#deps.reporter.hit(vertex, 'unused')
  }
}

/** The vertices that a step takes files from; an empty stage is none. */
function sourcesOf(vertex: StepVertex): readonly VertexId[] {
  return vertex.sources.flatMap((source: FilesSource) =>
    source.kind === 'context' || source.vertex === undefined ? [] : [source.vertex],
  )
}

/** Whether its key says what was done, and not what came out: the same files may have another one. */
function isNamedByKey(vertex: Vertex): boolean {
  return isStep(vertex) && vertex.internal !== true
}

/** Then what it copies is known by content only. */
function isFromContext({ sources }: FilesVertex): boolean {
  return sources.some(({ kind }) => kind === 'context')
}

function resultKey(vertex: StepVertex, root: CacheKey | undefined, own: CacheKey): CacheKey {
  return vertex.op === 'files' && vertex.link ? linkedKey(root, own) : own
}

/** A vertex and what it stands on, down to its base. */
function* chainOf(plan: Plan, top: VertexId | undefined): Generator<VertexId> {
  for (let at = top; at !== undefined; ) {
    yield at
    const vertex = plan.vertices.get(at)
    at = vertex !== undefined && isStep(vertex) ? vertex.root : undefined
  }
}

function lookedInto(plan: Plan): ReadonlySet<VertexId> {
  const found = new Set<VertexId>()
  const addChain = (id: VertexId | undefined): void => {
    for (const at of chainOf(plan, id)) {
      if (found.has(at)) return
      found.add(at)
    }
  }
  for (const vertex of plan.vertices.values()) {
    if (!isStep(vertex)) continue
    addChain(vertex.root)
    for (const source of sourcesOf(vertex)) addChain(source)
  }
  return found
}

/** The only place that ties a failure to Dockerfile lines; operations know nothing of source. */
function atVertex(vertex: Vertex, failure: unknown): unknown {
  const cause = typedFailure('work on the files of this step', failure)
  if (!(cause instanceof TsbuildError) || cause instanceof SourceError) return cause
  const { message, code, hint } = cause
  return new SourceError(message, { code, hint, cause, ranges: [vertex.range] })
}
