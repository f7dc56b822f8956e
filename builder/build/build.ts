import type { Attested } from '#attest'
import { contextName, type OpenedContext } from '#builder/context'
import { keepTrace, TraceRecorder } from '#builder/explain'
import { checkDestination, EarlyLayers, type EarlyUploads } from '#builder/export'
import {
  type BuildOptions,
  type BuildResult,
  type MadeImage,
  requestOf,
  resolveOptions,
  type Settings,
} from '#builder/options'
import { isRunForCertain, type Plan } from '#builder/plan'
import type { Caches } from '#builder/remote-cache'
import { type Schedule, type StepSecrets, spareProcessor, stepSchedule } from '#builder/solve'
import { openStore, type Store } from '#cache'
import {
  formatPlatform,
  Resources,
  sortMaterials,
  TsbuildError,
  throwIfCancelled,
  together,
  typedFailure,
} from '#core'
import { type DockerfileChecks, diagnosticsError, failureIn, type InstructionGraph } from '#parser'
import { BuildRecorder } from '#record'
import { familiarReference, PushCheck } from '#registry-client'
import type { SignGraph } from '#signing'
import { baseResolver, planLoaded } from './build-plan.ts'
import { baseMaterials, resultOf } from './build-result.ts'
import { openChecks } from './checks.ts'
import { takeContainerRoot } from './container-root.ts'
import { deliver, openUploads, reportOutput } from './deliver.ts'
import { explainNoSpace } from './full-disk.ts'
import { type BuiltImage, buildImage } from './image-build.ts'
import { rewritesTimes } from './layers/rewrite-times.ts'
import { loadContext } from './load-context.ts'
import { reportWaits } from './reported-waits.ts'
import { Services } from './services.ts'
import { openSecrets } from './step-secrets.ts'

/** Milliseconds after which the kernel has begun to write what it was given: twice its default. */
const SETTLED = 60_000

/**
 * Builds an image from a Dockerfile.
 * @throws {SourceError} when the Dockerfile is wrong or a step fails
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID, registry and store failures, CANCELLED
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const started = performance.now()
  const settings = resolveOptions(options)
  for (const output of settings.outputs) checkDestination(output, requestOf(settings))
  try {
    throwIfCancelled(settings.signal, 'build')
    using _root = await takeContainerRoot(settings)
    const secrets = await openSecrets(settings)
    const sign = settings.sign.length === 0 ? undefined : await openSigning(settings)
    await using context = await loadContext(settings, secrets)
    return await buildChecked(context, { secrets, sign, settings, started })
  } catch (thrown) {
    const cause = typedFailure('build', thrown)
    if (settings.signal?.aborted === true) {
      throw new TsbuildError('build cancelled', { code: 'CANCELLED', cause })
    }
    throw explainNoSpace(cause, settings)
  } finally {
    settings.spans.close()
  }
}

/** One call of `build`. */
interface Request {
  readonly secrets: StepSecrets
  readonly sign: SignGraph | undefined
  readonly settings: Settings
  /** By `performance.now()`. */
  readonly started: number
}

async function buildChecked(context: OpenedContext, request: Request): Promise<BuildResult> {
  const { loaded } = context
  try {
    const { settings } = request
    const checks = await settings.spans.measure('parse', async () => openChecks(loaded, settings))
    const mistakes = diagnosticsError(loaded.parsed.diagnostics, loaded.source)
    if (mistakes !== undefined) throw mistakes
    return await buildLoaded(context, checks, request)
  } catch (thrown) {
    throw failureIn(typedFailure('build', thrown), loaded.source)
  }
}

/** What the parts of one build share. */
interface BuildDeps {
  readonly context: OpenedContext
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  readonly resources: Resources
  readonly early: EarlyLayers
  readonly uploads: EarlyUploads | undefined
  readonly pushCheck: PushCheck
  readonly caches: Caches | undefined
  readonly schedule: Schedule
  readonly recorder: TraceRecorder
  readonly record: BuildRecorder
}

async function buildLoaded(
  context: OpenedContext,
  checks: DockerfileChecks,
  { secrets, sign, settings: given, started }: Request,
): Promise<BuildResult> {
  const recorder = new TraceRecorder()
  const { spans } = given
  await using store = await spans.measure('store', async () =>
    openStore(given.root, { onWait: reportWaits(given.onEvent, 'build') }),
  )
  const { path, source } = context.loaded
  const place = { context: contextName(given.context), dockerfile: path ?? source.filename }
  const record = new BuildRecorder(store.builds, {
    ...{ ...place, target: given.target, tags: given.tags.map(familiarReference) },
    startedAt: performance.timeOrigin + started,
  })
  const settings = { ...given, onEvent: record.watching(recorder.watching(given.onEvent)) }
  await using services = new Services(settings, {
    ...{ store, secrets, context: context.directory },
  })
  await using resources = new Resources()
  const spare = spareProcessor()
  const found = (): Promise<void> => spare.found()
  const uploads = openUploads(settings, { store, found, client: () => services.client() })
  if (uploads !== undefined) resources.use(uploads)
  const early = resources.use(
    new EarlyLayers({
      ...{ store, spare, spans },
      onPacked: (layer, compression) =>
        uploads?.add({ ...layer, blob: undefined, origin: undefined }, compression),
    }),
  )
  const schedule = spare.watching(stepSchedule(settings.jobs))
  const caches = await openCachesOf(settings, { store, services, early, resources })
  const opened = { context, settings, store, services, resources }
  const isPushed = settings.outputs.some(({ type }) => type === 'registry')
  const pushCheck = new PushCheck(isPushed ? settings.tags : [], () => services.client())
  const deps = { ...opened, early, uploads, pushCheck, caches, schedule, recorder, record }
  const finish = async (signal: AbortSignal): Promise<BuildResult> => {
    const plans = await spans.measure('resolve', () => planPlatforms(checks, deps, signal))
    const images = await buildPlatforms(plans, deps, signal)
    early.endSteps()
    uploads?.endSteps()
    await settings.onBuilt?.(images.map(madeImage))
    // A rejection reaches the caller when the services are disposed of.
    services.closeSandbox().catch(() => undefined)
    const stoppable = { ...settings, signal }
    await caches?.layersSent()
    const attested = await attestationsOf(images, { ...deps, settings: stoppable, started })
    const sending = { settings: stoppable, store, services, early, uploads, sign, attested }
    const descriptor = await deliver(images, sending)
    await caches?.send()
    const fetched = [...context.materials, ...services.fetched]
    const { stored } = store
    return resultOf({ images, descriptor, fetched, settings, stored, started })
  }
  // Layers of earlier builds, which the kernel has written by now, are marked as safe: at once, while
  // there is little else to write.
  const marking = (): Promise<void> =>
    spans.measure('sync', () => store.layers.sync({ olderThan: SETTLED }))
  try {
    const checked = (signal: AbortSignal): Promise<BuildResult> => {
      return pushCheck.until(finish(signal))
    }
    const check = (signal: AbortSignal): Promise<void> => pushCheck.done({ signal })
    const [, result] = await together([marking, checked, check], settings.signal)
    await spans.measure('sync', () => store.blobs.sync())
    // What was opened is closed now, which ends with the build.
    spans.begin('store')
    record.end('done')
    return result
  } catch (cause) {
    record.end(settings.signal?.aborted === true ? 'cancelled' : 'failed')
    throw cause
  } finally {
    await keepTrace(recorder, { ...settings, ...place, store })
  }
}

function madeImage({ image, lowers }: BuiltImage): MadeImage {
  const { platform, configBytes: config } = image
  return { platform: formatPlatform(platform), config, layers: lowers }
}

/** What is said of the images, in their order; loaded where it is asked for. */
async function attestationsOf(
  images: readonly BuiltImage[],
  { context, settings, store, services, started }: BuildDeps & Pick<Request, 'started'>,
): Promise<readonly Attested[] | undefined> {
  if (!requestOf(settings).isAttested) return undefined
  const { attestImages } = await import('#attest')
  const fetched = [...context.materials, ...services.fetched]
  const described = images.map(({ plan, image, layers, lowers }) => ({
    plan,
    platform: image.platform,
    materials: sortMaterials([...fetched, ...baseMaterials(plan)]),
    layerSteps: layers.map(({ vertex }) => vertex),
    lowers,
  }))
  await using scratch = store.temporary()
  const startedAt = new Date(performance.timeOrigin + started)
  return await attestImages(described, { settings, context, startedAt, scratch: scratch.path })
}

/** Keys are opened before anything is built. */
async function openSigning({ sign, environment, onEvent }: Settings): Promise<SignGraph> {
  const { openSigners } = await import('#signing')
  const signGraph = await openSigners(sign, environment)
  return (repository, graph, options) => {
    const name = `signing ${repository.registry}/${repository.name}@${graph.root.digest}`
    return reportOutput(name, { onEvent, position: 0 }, () => signGraph(repository, graph, options))
  }
}

/** Loaded where they are asked for. */
async function openCachesOf(
  settings: Settings,
  {
    store,
    services,
    early,
    resources,
  }: Pick<BuildDeps, 'store' | 'services' | 'early' | 'resources'>,
): Promise<Caches | undefined> {
  const { cacheFrom, cacheTo, inlineCache } = settings
  if (cacheFrom.length + cacheTo.length === 0 && !inlineCache) return undefined
  const { openCaches } = await import('#builder/remote-cache')
  const client = () => services.client()
  const { pool } = services
  const deps = { settings, store, client, early, pool, changesLayers: rewritesTimes }
  return resources.use(openCaches(deps))
}

/** Plans all platforms. A check that fails the build does so before any step runs, on any platform. */
function planPlatforms(
  checks: DockerfileChecks,
  { context, ...shared }: BuildDeps,
  signal: AbortSignal,
): Promise<readonly Plan[]> {
  const { settings, services, pushCheck } = shared
  const planning = {
    settings,
    checks,
    stages: 'target',
    resolve: baseResolver(shared),
    // A RUN that is not looked up will run: its thread takes as long to start as an image to be resolved.
    onLinked: (graph: InstructionGraph) => {
      settings.onLinked?.(graph)
      const isCertain = graph.stages.some(({ stage }) => isRunForCertain(stage, settings.fresh))
      if (!isCertain) return
      pushCheck.begin()
      services.sandbox().catch(() => undefined)
    },
    contextCreatedAt: context.createdAt,
    fetcher: () => services.fetcher(),
  } as const
  const tasks = settings.platforms.map((platform) => (stop: AbortSignal) => {
    return planLoaded(context.loaded, platform, { ...planning, signal: stop })
  })
  return together(tasks, signal)
}

/** Builds the image of each plan, side by side. */
function buildPlatforms(
  plans: readonly Plan[],
  deps: BuildDeps,
  signal: AbortSignal,
): Promise<readonly BuiltImage[]> {
  const { platforms } = deps.settings
  const tasks = plans.map((plan, index) => (stop: AbortSignal) => {
    const platform = platforms[index] ?? platforms[0]
    return buildImage(plan, { ...deps, platform, signal: stop })
  })
  return together(tasks, signal)
}
