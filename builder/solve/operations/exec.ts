import { join, relative } from 'node:path'
import { hasOwnersBeside, ownersBeside, ownersObstacle } from '#builder/layer'
import { fileRights } from '#builder/linux'
import type { ExecVertex, Plan, Vertex, VertexId } from '#builder/plan'
import type { Sandbox } from '#builder/sandbox'
import type { Snapshot, Snapshots, Snapshotter } from '#builder/snapshot'
import type { CacheKey, LayerId, Store, TemporaryDirectory } from '#cache'
import { type Digest, formatOwnedFiles, type Platform, type Spans, TsbuildError } from '#core'
import type { BuildRecorder, RecordedSandbox, StepRecord } from '#record'
import { execKey, type KeyedStep } from '../keys/vertex-key.ts'
import { isStep, sourcesOf } from '../keys/vertex-kind.ts'
import type { Layer } from '../layers/layer.ts'
import type { LayerForm } from '../layers/layer-forms.ts'
import { type LayerWatch, storeHint } from '../layers/layer-watch.ts'
import { lowersOf } from '../layers/stack.ts'
import type { Reporter } from '../report/reporter.ts'
import type { WorkPool } from '../work/work-pool.ts'
import { checkEmulator } from './emulator.ts'
import {
  type MountSharing,
  type MountSource,
  type OpenMounts,
  openMounts,
  type StepSecrets,
} from './exec-mounts.ts'
import { processOf } from './exec-process.ts'
import { exitError } from './exit-error.ts'
import { type FileSelection, mountSelection } from './file-selection.ts'
import { isFollowed } from './followed-step.ts'
import type { StepOperation, StepWork } from './operation.ts'
import type { Result, StepOutcome } from './result.ts'
import { SpaceWatch } from './space-watch.ts'

/** What running a process needs. */
export interface ExecDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly watch: LayerWatch
  readonly lowerForm: () => Promise<LayerForm>
  readonly secrets: StepSecrets
  /** Shares cache mounts with other machines; `undefined`: they stay here. */
  readonly mountSharing?: MountSharing | undefined
  readonly sandbox: () => Promise<Sandbox>
  readonly snapshots: () => Promise<Snapshots>
  readonly reporter: Reporter
  /** Keeps what is asked later of steps that are executed. */
  readonly recorder: BuildRecorder
  readonly host: Platform
  readonly spans: Spans
  readonly signal: AbortSignal | undefined
}

/** RUN: what a process leaves behind. */
export class ExecOperation implements StepOperation {
  readonly kind = 'step'
  readonly vertex: ExecVertex
  readonly inputs: readonly VertexId[]
  readonly selection: FileSelection | undefined
  readonly isByContent = false
  readonly #plan: Plan
  readonly #deps: ExecDeps

  /** @param plan has the kinds of the sources, and what follows */
  constructor(vertex: ExecVertex, plan: Plan, deps: ExecDeps) {
    this.vertex = vertex
    this.inputs = sourcesOf(vertex)
    // The key of a step says what was done: another key may stand for the same files.
    const isDefined = this.inputs.every((id) => !isNamedStep(plan.vertices.get(id)))
    this.selection = isDefined ? undefined : mountSelection(vertex)
    this.#plan = plan
    this.#deps = deps
  }

  definitionKey(root: CacheKey | undefined, inputs: readonly CacheKey[]): KeyedStep {
    return execKey(this.vertex, root, inputs.length === 0 ? undefined : { definition: inputs })
  }

  contentKey(root: CacheKey | undefined, content: Digest): KeyedStep {
    return execKey(this.vertex, root, { content })
  }

  family(_root: CacheKey | undefined, definition: KeyedStep | undefined): CacheKey {
    if (definition === undefined) throw new Error('a RUN step is always known by definition')
    return definition.key
  }

  resultKey(_root: CacheKey | undefined, own: CacheKey): CacheKey {
    return own
  }

  run({ root, sources, step, onBegin }: StepWork): Promise<StepOutcome> {
    if (step === undefined) throw new Error('a RUN step is always known by definition')
    const below = root?.layers.map(({ layer }) => layer) ?? []
    const work = { below, sources, step, onBegin, isFollowed: isFollowed(this.vertex, this.#plan) }
    return runExec(this.vertex, work, this.#deps)
  }
}

function isNamedStep(vertex: Vertex | undefined): boolean {
  return vertex !== undefined && isStep(vertex) && vertex.internal !== true
}

interface ExecWork {
  readonly below: readonly Layer[]
  readonly sources: StepWork['sources']
  readonly step: KeyedStep
  readonly onBegin: StepWork['onBegin']
  /** Another step will run on top. */
  readonly isFollowed: boolean
}

/** Runs the process on the layers below, and keeps what it changed. */
async function runExec(vertex: ExecVertex, work: ExecWork, deps: ExecDeps): Promise<StepOutcome> {
  const temporary = deps.store.temporary()
  try {
    return await runIn(temporary.path, vertex, { work, deps })
  } finally {
    // The next step is prepared in its thread meanwhile. What is left when the store is closed goes then.
    setImmediate(() => void drop(temporary))
  }
}

async function drop(temporary: TemporaryDirectory): Promise<void> {
  try {
    await temporary[Symbol.asyncDispose]()
  } catch {
    // Closing the store fails with it, or removes it.
  }
}

/** @param scratch an existing directory for what is dropped after the step */
async function runIn(
  scratch: string,
  vertex: ExecVertex,
  { work, deps }: { readonly work: ExecWork; readonly deps: ExecDeps },
): Promise<StepOutcome> {
  const { reporter, spans } = deps
  checkEmulator(vertex.platform, { platform: deps.host, scratch: join(scratch, 'probe') })
  const [sandbox, lower] = await Promise.all([
    spans.measure('steps', () => deps.sandbox()),
    spans.except('steps', () => lowersOf(work.below, deps)),
  ])
  for (const warning of vertex.warnings) reporter.warning(vertex, warning)
  const { sources, onBegin, isFollowed } = work
  const prepared = { sandbox, lower, scratch, sources, onBegin, isFollowed }
  const snapshots = await deps.snapshots()
  const layer = await snapshots.use((snapshotter) =>
    runOn(snapshotter, vertex, { ...prepared, deps }),
  )
  return { step: work.step, layer }
}

/** What a step is run with, whichever snapshotter gives it its files. */
interface PreparedExec {
  readonly sandbox: Sandbox
  readonly lower: readonly string[]
  /** An existing directory for what is dropped after the step. */
  readonly scratch: string
  readonly sources: StepWork['sources']
  readonly onBegin: StepWork['onBegin']
  readonly isFollowed: boolean
  readonly deps: ExecDeps
}

async function runOn(
  snapshotter: Snapshotter,
  vertex: ExecVertex,
  { sandbox, lower, scratch, sources, onBegin, isFollowed, deps }: PreparedExec,
): Promise<LayerId> {
  const { signal } = deps
  const directory = join(scratch, snapshotter.kind)
  await using snapshot = await snapshotter.prepare(directory, lower, signal).finally(() => {
    // Others may have damaged them while this step waited for the root.
    for (const one of lower) deps.watch.check(one)
  })
  const mounted = sources.map((source) => source && mountSource(source, deps))
  const inputs = { snapshotter, sources: mounted, scratch: `${directory}-mount` }
  await using opened = await openMounts(vertex, inputs, deps)
  const seen = [...lower, ...opened.layers]
  const { givesOwners } = fileRights()
  if (!givesOwners) reportOwners(vertex, seen, deps.reporter)
  using record = deps.recorder.begin(vertex, {
    secrets: opened.secrets,
    ...(await placesOf(lower, mounted, deps.store)),
  })
  const place = { sandbox, snapshot, opened, record, onBegin, isFollowed }
  const run = (): Promise<void> => runKept(vertex, place, deps)
  const changes = { snapshot, lower, scratch, seen, maxMtime: vertex.maxMtime }
  const readsLayers = (await deps.lowerForm()) === 'tar'
  const onRepaired = repairReporter(vertex, deps)
  const perform = <T>(finish: () => Promise<T>): Promise<T> =>
    snapshotter.kind === 'in-place'
      ? deps.watch.around({ run, finish, readsLayers, onRepaired })
      : run().then(finish)
  if (readsLayers) return await perform(() => keepTar(changes, deps))
  return await keepDirectory(await perform(() => snapshot.changes()), changes, deps)
}

function mountSource({ key, layers }: Result, deps: ExecDeps): MountSource {
  const stack = layers.map(({ layer }) => layer)
  return { key, lower: () => lowersOf(stack, deps) }
}

/** Where its layers are, from the root of the store. */
async function placesOf(
  lower: readonly string[],
  mounted: readonly (MountSource | undefined)[],
  { root }: Store,
): Promise<Pick<RecordedSandbox, 'lower' | 'sources'>> {
  const below = (paths: readonly string[]) => paths.map((path) => relative(root, path))
  const sources = mounted.map(async (source) =>
    source === undefined ? null : { key: source.key, lower: below(await source.lower()) },
  )
  return { lower: below(lower), sources: await Promise.all(sources) }
}

/** What a step left, before its layer is taken. */
interface StepChanges extends Pick<PreparedExec, 'lower' | 'scratch'> {
  readonly snapshot: Snapshot
  /** The layers that the step saw. */
  readonly seen: readonly string[]
  readonly maxMtime: number | undefined
}

async function keepDirectory(
  directory: string,
  { snapshot, lower, seen, maxMtime }: StepChanges,
  { pool, store, signal }: ExecDeps,
): Promise<LayerId> {
  if (maxMtime !== undefined) {
    await pool.run('clampTimes', { directory, maxMtime }, signal)
    snapshot.altered()
  }
  if (!fileRights().givesOwners && hasOwnersBeside(seen)) {
    await pool.run('keepOwners', { directory, lowers: lower }, signal)
  }
  return (await store.layers.commitDirectory(directory)).id
}

/** Steps in place are shown tars. */
async function keepTar(
  { snapshot, lower, scratch, maxMtime }: StepChanges,
  { spans, store, watch }: ExecDeps,
): Promise<LayerId> {
  for (const one of lower) watch.check(one)
  const tar = join(scratch, 'layer.tar')
  const packed = await spans.measure('packing', async () => snapshot.pack?.(tar, maxMtime))
  if (packed === undefined) throw new Error('this snapshot gives no tar')
  await watch.keepTar(tar, packed)
  return store.layers.register(packed).id
}

/** Steps that change the store learn how to leave it alone. */
function repairReporter(vertex: ExecVertex, { reporter, store }: ExecDeps): (path: string) => void {
  return (path) => {
    const message = `the step has changed a layer of the store, which was made anew: ${path} (${storeHint(store.root)})`
    reporter.warning(vertex, message)
  }
}

/** Where a step's process runs. */
interface ExecPlace {
  readonly sandbox: Sandbox
  readonly snapshot: Snapshot
  readonly opened: OpenMounts
  readonly record: StepRecord
  readonly onBegin: StepWork['onBegin']
  readonly isFollowed: boolean
}

/** Runs the process; when that fails, what it has left can be looked at. In place nothing stays as it was. */
async function runKept(vertex: ExecVertex, place: ExecPlace, deps: ExecDeps): Promise<void> {
  try {
    await runProcess(vertex, place, deps)
  } catch (cause) {
    const { record, snapshot } = place
    if (isFailure(cause)) {
      const changes = snapshot.pack === undefined ? () => snapshot.changes() : undefined
      deps.reporter.kept(vertex, await record.keep(changes))
    }
    throw cause
  }
}

function isFailure(cause: unknown): boolean {
  return cause instanceof TsbuildError && FAILURES.has(cause.code)
}

const FAILURES: ReadonlySet<string> = new Set(['STEP_FAILED', 'SNAPSHOT_FULL'])

/** @throws {TsbuildError} STEP_FAILED, SNAPSHOT_FULL when the process fails */
async function runProcess(
  vertex: ExecVertex,
  { sandbox, snapshot, opened, record, onBegin, isFollowed }: ExecPlace,
  { reporter, signal, store }: ExecDeps,
): Promise<void> {
  const { args, settings } = vertex.process
  const space = new SpaceWatch()
  // Loaded with the sandbox: a build without RUN needs neither.
  const { run } = await import('#builder/sandbox')
  const { exitCode, reached, used } = await run(
    sandbox,
    processOf(vertex.process, { root: snapshot.root, opened }),
    {
      signal,
      onBegin,
      isFollowed,
      onOutput: (stream, data) => {
        space.read(stream, data)
        record.output(stream, data)
        reporter.output(vertex, stream, data)
      },
      onConnect: opened.onConnect,
    },
  )
  reporter.used(vertex, used)
  if (exitCode === 0) return
  const exhausted = snapshot.exhausted(space.isUsedUp)
  const fullPlace = space.isUsedUp ? store.root : undefined
  const { resources } = settings
  throw exitError({ args, exitCode, reached, resources, used, exhausted, fullPlace })
}

/** Warns that a step sees other owners than the image has, and may do something else for it. */
function reportOwners(vertex: ExecVertex, seen: readonly string[], reporter: Reporter): void {
  const files = ownersBeside([...new Set(seen)], 'all')
  if (files === undefined) return
  const named = formatOwnedFiles(files)
  const { reason, remedy } = ownersObstacle()
  reporter.warnOnce(
    'owners',
    vertex,
    `${reason}, so steps see files of other owners as root's: ${named} (${remedy})`,
  )
}
