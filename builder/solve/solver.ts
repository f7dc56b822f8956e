import type { Plan, StepVertex, VertexId } from '#builder/plan'
import type { CacheKey, RemoteLayer, ResultCache } from '#cache'
import { type ExecutionReason, TsbuildError, throwIfCancelled, typedFailure } from '#core'
import { SourceError } from '#parser'
import type { KeyedStep, KeyKind } from './keys/vertex-key.ts'
import { BackgroundTasks } from './layers/background-tasks.ts'
import { prepareImported, settleImported } from './layers/imported-layer.ts'
import type { Layer } from './layers/layer.ts'
import { chainOf, type LayerForms, layerForms } from './layers/layer-forms.ts'
import { KeyResolver } from './lookup/key-resolver.ts'
import { lookupPolicy } from './lookup/lookup-policy.ts'
import { type FoundResult, ResultLookup } from './lookup/result-lookup.ts'
import { tolerantCache } from './lookup/tolerant-cache.ts'
import { contentOf } from './operations/file-selection.ts'
import type { Operation, StepOperation, StepWork } from './operations/operation.ts'
import { type OperationDeps, operationOf } from './operations/operation-of.ts'
import { confirmBases, type Result, type ResultLayer } from './operations/result.ts'
import { withSoundSources } from './operations/sound-sources.ts'
import { HitReporter } from './report/hit-reporter.ts'
import type { Schedule } from './schedule/schedule.ts'
import type { SolvedStep } from './solved-step.ts'
import { layersOf, StepResults, type StepResultsDeps } from './step-results.ts'

/** What solving a plan needs. */
export interface SolveDeps
  extends Omit<OperationDeps, 'tasks'>,
    Pick<StepResultsDeps, 'onTar' | 'onBase'> {
  /** Where results of earlier builds are looked up, and where those of this one go. */
  readonly results: ResultCache
  /** Bounds how many steps are under way at the same time. */
  readonly schedule: Schedule
  /** Layers of the image are needed as tars: for every output but plain files. */
  readonly wantsTars: boolean
  /** Called when a step is not found by what is known before anything is done: there will be work. */
  readonly onMiss: () => void
  /** Gets the key by which a step is going to be executed, where one is known before. */
  readonly onExecute: (id: VertexId, step: KeyedStep) => void
  /** Whether an output needs the bytes of a layer of the image that is elsewhere. */
  readonly isNeeded: (layer: RemoteLayer) => boolean
  /** Where results go beside `results`; `undefined`: nowhere. */
  readonly taker: StepTaker | undefined
}

/** Takes the results of steps, executed or found. */
export interface StepTaker {
  /** Takes also those that were found and that nothing else has a use for. */
  readonly takesAll: boolean
  take(step: SolvedStep): void
  /**
   * Takes the family of a step by content that was executed or found, also of one that nothing else has a use
   * for: without it another machine does not digest its files, and does not know the keys that follow.
   */
  takeFamily(family: CacheKey): void
}

/** What is known of a step that is executed. */
interface PerformedKeys {
  /** The key by which it was looked up first. */
  readonly first: KeyedStep | undefined
  /** The key under which it is stored, unless only executing it can tell. */
  readonly step: KeyedStep | undefined
  readonly reason: Promise<ExecutionReason>
}

/** Solves vertices on demand: each is looked up before it is done, and done once. */
export class Solver implements AsyncDisposable {
  readonly #plan: Plan
  readonly #deps: SolveDeps & OperationDeps
  readonly #operations: ReadonlyMap<VertexId, Operation>
  readonly #keys: KeyResolver
  readonly #lookup: ResultLookup
  readonly #hits: HitReporter
  readonly #forms: LayerForms
  readonly #steps: StepResults
  readonly #results = new Map<VertexId, Promise<Result>>()
  readonly #tasks = new BackgroundTasks()
  readonly #stop = new AbortController()

  constructor(plan: Plan, deps: SolveDeps) {
    const signal = AbortSignal.any([this.#stop.signal, ...(deps.signal ? [deps.signal] : [])])
    const { store, reporter } = deps
    this.#plan = plan
    this.#deps = { ...deps, tasks: this.#tasks, signal }
    this.#operations = new Map(
      [...plan.vertices].map(([id, vertex]) => [id, operationOf(vertex, plan, this.#deps)]),
    )
    const onFailure = (cause: unknown): void => reporter.cacheFailure(cause)
    this.#lookup = new ResultLookup({
      ...{ store, signal, onFetchFailure: onFailure },
      onFamily: (family) => deps.taker?.takeFamily(family),
      results: tolerantCache(deps.results, onFailure),
      policy: lookupPolicy(plan, Date.now()),
    })
    this.#keys = new KeyResolver({
      operations: this.#operations,
      lookup: this.#lookup,
      realize: (id) => this.#realize(id),
      digest: (operation, below) => this.#digest(operation, below),
    })
    this.#hits = new HitReporter(plan, {
      reporter,
      isSolved: (id) => this.#results.has(id),
      keyOf: (id) => this.#keys.storedKey(id),
    })
    this.#forms = layerForms(plan, deps)
    this.#steps = new StepResults({
      ...this.#deps,
      lookup: this.#lookup,
      forms: this.#forms,
      onSolved: deps.taker && ((step) => deps.taker?.take(step)),
      inImage: new Set(chainOf(plan, plan.image.top)),
    })
  }

  /** The layers of the image, bottom first. After a failure no work is left. */
  async solve(): Promise<readonly ResultLayer[]> {
    const { top } = this.#plan.image
    if (top === undefined) return []
    try {
      this.#askRemotes()
      const { layers } = await this.#realize(top)
      if (this.#deps.taker?.takesAll === true) await this.#realizeFound()
      const stack = layers.map(({ layer }) => layer)
      await settleImported(stack, this.#deps.isNeeded)
      await confirmBases(layers)
      await this.#steps.digested()
      return layers
    } catch (cause) {
      await this[Symbol.asyncDispose]()
      throw cause
    }
  }

  /** Stops all work, that on layers too, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new TsbuildError('the build has ended', { code: 'CANCELLED' }))
    await this.#tasks.ended()
  }

  /** All at the same time: no step that uses one can be looked up before. */
  #askRemotes(): void {
    for (const [id, operation] of this.#operations) {
      const isRemote = operation.kind === 'source' && operation.definitionKey() === undefined
      if (isRemote) void this.#realize(id)
    }
  }

  /** Results that were found, and all that they stand on, but that nothing needs. */
  async #realizeFound(): Promise<void> {
    const found = [...this.#operations.keys()].map(async (id) => {
      if (await this.#isFound(id)) await this.#realize(id)
    })
    await Promise.all(found)
  }

  /** Whether realizing a vertex executes nothing. */
  async #isFound(id: VertexId): Promise<boolean> {
    for (let at: VertexId | undefined = id; at !== undefined; ) {
      const operation = this.#operations.get(at)
      if (operation === undefined || operation.kind === 'source') return true
      if (!(await this.#keys.probe(at)).isCached) return false
      at = operation.vertex.root
    }
    return true
  }

  #realize(id: VertexId): Promise<Result> {
    const known = this.#results.get(id)
    if (known !== undefined) return known
    const operation = this.#operations.get(id)
    if (operation === undefined) throw new Error(`no vertex ${id}`)
    const result = this.#tasks.add(this.#solve(operation))
    this.#results.set(id, result)
    return result
  }

  /** The only place that ties a failure to Dockerfile lines: operations fail without a range. */
  async #solve(operation: Operation): Promise<Result> {
    const { vertex } = operation
    throwIfCancelled(this.#deps.signal, vertex.name)
    try {
      if (operation.kind === 'step') return await this.#solveStep(operation)
      return this.#steps.fromElsewhere(operation, await operation.run())
    } catch (failure) {
      const cause = typedFailure('work on the files of this step', failure)
      if (!(cause instanceof TsbuildError) || cause instanceof SourceError) throw cause
      const { message, code, hint } = cause
      throw new SourceError(message, { code, hint, cause, ranges: [vertex.range] })
    }
  }

  async #solveStep(operation: StepOperation): Promise<Result> {
    const { vertex, inputs } = operation
    const { isCached } = await this.#lookUp(() => this.#keys.probe(vertex.id))
    if (!isCached) this.#deps.onMiss()
    // The sandbox takes a fifth of a second to start, in which what the step waits for is made.
    if (vertex.op === 'exec' && !isCached) this.#deps.sandbox().catch(() => undefined)
    // A step that has to be done needs its other inputs as well: all are made at the same time.
    const [root, ...made] = await Promise.all([
      vertex.root === undefined ? undefined : this.#realize(vertex.root),
      ...(isCached ? [] : inputs.map((id) => this.#realize(id))),
    ])
    const madeKeys = made.length === 0 ? undefined : made.map(({ key }) => key)
    const { first, found } = await this.#lookUp(async () => {
      const first = await this.#keys.firstKey(operation, root?.key, madeKeys)
      return { first, found: first && (await this.#find(vertex, first.key, 'definition')) }
    })
    return found ? this.#hit(operation, root, found) : this.#perform(operation, root, first)
  }

  async #perform(
    operation: StepOperation,
    root: Result | undefined,
    first: KeyedStep | undefined,
  ): Promise<Result> {
    const { store, signal } = this.#deps
    const { vertex } = operation
    const family = operation.family(root?.key, first)
    const reason = this.#lookUp(() => this.#lookup.executionReason(vertex, family))
    // A rejection reaches the step if it is executed.
    reason.catch(() => undefined)
    const content = await this.#lookUp(() => this.#keys.contentKey(operation, root))
    if (content !== undefined && first !== undefined) {
      await this.#lookup.link(first.key, content.key)
    }
    const known = content && (await this.#find(vertex, content.key, 'content'))
    if (known) return this.#hit(operation, root, known)
    const step = content ?? first
    if (step === undefined) return this.#run(operation, root, { first, step, reason })
    await using _lease = await store.lease(step.key, { signal, what: vertex.name })
    const by = content === undefined ? 'definition' : 'content'
    const meanwhile = await this.#lookup.findAgain({ vertex, key: step.key, by })
    if (meanwhile !== undefined) return this.#hit(operation, root, meanwhile)
    return await this.#run(operation, root, { first, step, reason })
  }

  async #run(
    operation: StepOperation,
    root: Result | undefined,
    keys: PerformedKeys,
  ): Promise<Result> {
    const { signal, reporter, schedule, spans, onExecute } = this.#deps
    const { vertex } = operation
    if (keys.step !== undefined) onExecute(vertex.id, keys.step)
    const sources = await this.#sources(vertex)
    const seen = vertex.op === 'files' && vertex.link ? sources : [root, ...sources]
    await prepareImported(seen.map(layersOf))
    const reason = await keys.reason
    const work = { root, sources, step: keys.step, forms: this.#forms(vertex.id), reason }
    const family = operation.family(root?.key, keys.first)
    const known = { root, sources, family, first: keys.first?.key }
    const { result } = await schedule((onBegin) => {
      throwIfCancelled(signal, vertex.name)
      // What is said to be done is in the cache: a later build finds it, however this one ends.
      return reporter.step(vertex, reason, async () => {
        const began = performance.now()
        const run = () => operation.run({ ...work, onBegin })
        const outcome = await spans.measure('steps', run)
        const milliseconds = performance.now() - began
        const executed = { ...outcome, ...known, milliseconds }
        return { ...outcome, result: await this.#steps.executed(operation, executed) }
      })
    })
    return result
  }

  #lookUp<T>(work: () => Promise<T>): Promise<T> {
    return this.#deps.spans.measure('keys', work)
  }

  #find(vertex: StepVertex, key: CacheKey, by: KeyKind): Promise<FoundResult | undefined> {
    return this.#lookup.find({ vertex, key, by })
  }

  #hit(operation: StepOperation, root: Result | undefined, found: FoundResult): Result {
    this.#hits.hit(operation.vertex, found)
    const again = (): Promise<Result> => this.#solveAgain(operation, root)
    return this.#steps.found(operation, root, { found, again })
  }

  /** Another result in the place of one that was found, but cannot be had. */
  async #solveAgain(operation: StepOperation, root: Result | undefined): Promise<Result> {
    const made = await Promise.all(operation.inputs.map((id) => this.#realize(id)))
    const keys = made.map(({ key }) => key)
    const first = await this.#keys.firstKey(operation, root?.key, keys)
    const { vertex } = operation
    const found = first && (await this.#find(vertex, first.key, 'definition'))
    return found ? this.#hit(operation, root, found) : this.#perform(operation, root, first)
  }

  #sources({ sources }: StepVertex): Promise<StepWork['sources']> {
    return Promise.all(
      sources.map((source) =>
        source.kind === 'context' || source.vertex === undefined
          ? undefined
          : this.#realize(source.vertex),
      ),
    )
  }

  async #digest(
    { vertex, selection }: StepOperation,
    below: readonly Layer[],
  ): ReturnType<typeof contentOf> {
    if (selection === undefined) throw new Error(`${vertex.name} selects no files`)
    const layers = (await this.#sources(vertex)).map((source) => layersOf(source))
    const digest = () => contentOf(selection, { below, sources: layers }, this.#deps)
    return withSoundSources(digest, { ...this.#deps, vertex, sources: layers })
  }
}
