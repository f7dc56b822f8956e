import type { OpenedContext } from '#builder/context'
import { contextFolders } from '#builder/context'
import type { TraceRecorder } from '#builder/explain'
import {
  assembleImage,
  compressionFor,
  describePresumed,
  type EarlyLayers,
  type EarlyUploads,
  type FinishedImage,
  type ImageLayer,
  presumedOwners,
  type StepLayer,
  takenBy,
} from '#builder/export'
import { ownersObstacle } from '#builder/layer'
import type { Settings } from '#builder/options'
import type { BaseLayer, Plan } from '#builder/plan'
import type { Caches } from '#builder/remote-cache'
import {
  checkedLowers,
  plannedVertices,
  Reporter,
  type ResultLayer,
  type Schedule,
  Solver,
} from '#builder/solve'
import type { Store } from '#cache'
import { type Compression, hostPlatform, type Platform, type Resources } from '#core'
import type { BuildRecorder } from '#record'
import type { PushCheck } from '#registry-client'
import { largeLayers } from './layers/large-layers.ts'
import { rewritesTimes, rewriteTimes } from './layers/rewrite-times.ts'
import type { SquashedImage } from './layers/squash.ts'
import type { Services } from './services.ts'

/** Images with more layers do not run everywhere. */
const MOST_LAYERS = 127

/** What the images of one build share. */
export interface ImageDeps {
  readonly context: OpenedContext
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  readonly schedule: Schedule
  readonly early: EarlyLayers
  readonly uploads: EarlyUploads | undefined
  readonly pushCheck: PushCheck
  readonly recorder: TraceRecorder
  readonly record: BuildRecorder
  /** Caches elsewhere; `undefined`: none. */
  readonly caches: Caches | undefined
  /** Takes what has to stay open until the images are where they are to go. */
  readonly resources: Resources
  readonly signal: AbortSignal
  /** The platform that the plan is for. */
  readonly platform: Platform
}

/** The image of one platform. */
export interface BuiltImage {
  readonly plan: Plan
  readonly reporter: Reporter
  readonly layers: readonly StepLayer[]
  readonly image: FinishedImage
  /** The image with no file of a new layer newer than `SOURCE_DATE_EPOCH`. */
  readonly rewritten: () => Promise<FinishedImage>
  /** The layers as `stackTree` takes them, topmost first, as fit to leave the machine. */
  readonly lowers: () => Promise<readonly string[]>
}

/** Solves the plan of one platform. */
export async function buildImage(plan: Plan, deps: ImageDeps): Promise<BuiltImage> {
  const { settings, store, services, signal } = deps
  const { sourceDateEpoch } = plan
  const reporter = new Reporter(settings.onEvent)
  const wantsTars = settings.outputs.some((output) => takenBy(output) === 'images')
  const solver = openSolver(plan, { ...deps, reporter, wantsTars })
  const { dockerfile } = deps.context.loaded.parsed
  const vertices = plannedVertices(plan, dockerfile, deps.platform)
  deps.recorder.addPlan(plan)
  deps.record.addPlan(plan)
  settings.onEvent({ type: 'planned', vertices })
  const solved = await solver.solve()
  const made = wantsTars ? await finishLayers(solved, deps.caches?.sibling) : []
  const { planned, layers } = await squashed(plan, made, { ...deps, solved })
  for (const message of warningsAbout(layers, store)) settings.onEvent({ type: 'warning', message })
  const times = { defaultCreatedAt: new Date(), sourceDateEpoch }
  const results = await deps.caches?.resultsOf(layers.map(({ diffId }) => diffId))
  const image = assembleImage(planned, layers, { ...times, results })
  const rewritten = async (): Promise<FinishedImage> => {
    if (sourceDateEpoch === undefined) return image
    const rewriting = layers.map((layer) =>
      rewriteTimes(layer, sourceDateEpoch, {
        ...{ store, pool: services.pool, spans: settings.spans, signal },
      }),
    )
    return assembleImage(planned, await Promise.all(rewriting), times)
  }
  const lowers = (): Promise<readonly string[]> => checkedLowers(solved.map(({ layer }) => layer))
  return { plan, reporter, layers, image, rewritten, lowers }
}

interface SolverSettings extends ImageDeps {
  readonly reporter: Reporter
  readonly wantsTars: boolean
}

/** The solver of one plan; it stays open until the images are where they are to go. */
function openSolver(plan: Plan, deps: SolverSettings): Solver {
  const { settings, store, services, schedule, resources, reporter, wantsTars, signal } = deps
  const { recorder, record } = deps
  const compressions = compressionsFor(settings, plan)
  const { directory, transient, loaded } = deps.context
  const modes = settings.reproducible ? 'git' : 'kept'
  const solver = new Solver(plan, {
    store,
    results: deps.caches?.results ?? store.results,
    pool: services.pool,
    watch: services.watch,
    lowerForm: () => services.lowerForm(),
    sandbox: () => services.sandbox(),
    snapshots: () => services.snapshots(),
    secrets: services.secrets,
    fetcher: () => services.fetcher(),
    schedule,
    spans: settings.spans,
    context: { kind: 'context', directory, ignore: loaded.ignore, modes, transient },
    namedContexts: contextFolders(settings.contexts, modes),
    host: hostPlatform(),
    reporter,
    recorder: record,
    wantsTars,
    onTar: (tar) => deps.early.add(tar, compressions),
    onBase: (base) => deps.uploads?.add(layerOfBase(base)),
    onMiss: () => deps.pushCheck.begin(),
    onExecute: (id, { preimage }) => recorder.execute(id, preimage),
    isNeeded: (layer) => deps.caches?.isNeeded(layer) !== false,
    taker: deps.caches?.taker,
    mountSharing: deps.caches?.mountSharing,
    signal,
  })
  return resources.use(solver)
}

function layerOfBase(base: BaseLayer): ImageLayer {
  return { diffId: base.diffId, size: undefined, blob: base, origin: base.origin }
}

interface SquashSettings extends ImageDeps {
  readonly solved: readonly ResultLayer[]
}

/** Loaded where new layers are to be one. */
async function squashed(
  { image }: Plan,
  layers: readonly StepLayer[],
  { settings, store, services, solved, signal }: SquashSettings,
): Promise<SquashedImage> {
  if (!settings.squash) return { planned: image, layers }
  const { squash } = await import('./layers/squash.ts')
  const lowers = (which: 'all' | 'base'): Promise<readonly string[]> => {
    const wanted = solved.filter(({ vertex }) => which === 'all' || vertex === undefined)
    return checkedLowers(wanted.map(({ layer }) => layer))
  }
  return await squash(image, layers, {
    ...{ store, pool: services.pool, spans: settings.spans, lowers, signal },
  })
}

/** What the outputs need of the layers as they are made. Layers with other times, or squashed, are other layers. */
function compressionsFor(
  { outputs, squash }: Settings,
  { sourceDateEpoch }: Plan,
): ReadonlySet<Compression> {
  if (squash) return new Set()
  const taking = outputs.filter((one) => sourceDateEpoch === undefined || !rewritesTimes(one))
  const compressions = new Set(taking.map(compressionFor))
  compressions.delete('none')
  return compressions
}

function* warningsAbout(layers: readonly StepLayer[], store: Store): Generator<string> {
  const { length } = layers
  if (length > MOST_LAYERS) {
    yield `the image has ${length} layers: docker's overlay2 driver takes no more than 128; join steps, or copy the result into a stage with fewer`
  }
  yield* largeLayers(layers, store)
  const presumed = presumedOwners({ layers }, store)
  if (presumed !== undefined) yield `${describePresumed(presumed)} (${ownersObstacle().remedy})`
}

async function finishLayers(
  solved: readonly ResultLayer[],
  sibling: StepLayer['origin'],
): Promise<readonly StepLayer[]> {
  const stack = solved.map(({ layer }) => layer)
  return Promise.all(
    solved.map(async ({ layer, vertex }, index) => {
      const { diffId, size } = await layer.tar(stack.slice(0, index))
      const { base, createdAt } = layer
      const origin = base === undefined ? sibling : base.origin
      return { diffId, size, blob: base, origin, vertex, createdAt }
    }),
  )
}
