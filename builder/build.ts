import { statSync } from 'node:fs'
import { assembleImage, type FinishedImage, type StepLayer } from '#builder/export'
import {
  globalScope,
  type Plan,
  planBuild,
  resolveBase,
  resolveGraph,
  unusedBuildArgs,
} from '#builder/plan'
import {
  directoriesOf,
  isStep,
  Reporter,
  type ResultLayer,
  Solver,
  scheduler,
} from '#builder/solve'
import { openStore, type Store } from '#cache'
import { type Descriptor, hostPlatform, TsbuildError, throwIfCancelled, together } from '#core'
import { SourceError } from '#parser'
import { formatReference } from '#registry-client'
import { checkOutputs } from './check-outputs.ts'
import { deliver } from './deliver.ts'
import { type LoadedDockerfile, loadDockerfile } from './dockerfile-source.ts'
import type { BuildOptions, BuildResult } from './options.ts'
import { Services } from './services.ts'
import { resolveOptions, type Settings } from './settings.ts'

/** Milliseconds after which the kernel has begun to write what it was given: twice its default. */
const SETTLED = 60_000

/**
 * Builds an image from a Dockerfile.
 * @throws {SourceError} when the Dockerfile is wrong or a step fails
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID, registry and store failures, CANCELLED
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const settings = resolveOptions(options)
  checkContext(settings.context)
  checkOutputs(settings.outputs)
  const loaded = loadDockerfile(settings)
  for (const warning of loaded.warnings) settings.onEvent({ type: 'warning', ...warning })
  try {
    throwIfCancelled(settings.signal, 'build')
    return await buildLoaded(loaded, settings)
  } catch (thrown) {
    const cause = firstOf(thrown)
    if (settings.signal?.aborted === true) {
      throw new TsbuildError('build cancelled', { code: 'CANCELLED', cause })
    }
    throw cause instanceof SourceError ? cause.in(loaded.source) : cause
  }
}

async function buildLoaded(loaded: LoadedDockerfile, settings: Settings): Promise<BuildResult> {
  const started = performance.now()
  await using store = openStore(settings.root)
  await using services = new Services(settings, store)
  const plan = await planLoaded(loaded, { settings, store, services })
  const reporter = new Reporter(settings.onEvent)
  const wantsTars = settings.outputs.some(({ type }) => type !== 'local' && type !== 'tar')
  await using solver = new Solver(plan, {
    store,
    pool: services.pool,
    sandbox: () => services.sandbox(),
    fetcher: () => services.fetcher(),
    schedule: scheduler(settings.jobs),
    context: { kind: 'context', directory: settings.context, ignore: loaded.ignore },
    host: hostPlatform(),
    reporter,
    noCache: settings.noCache,
    wantsTars,
    signal: settings.signal,
  })
  const finish = async (signal: AbortSignal): Promise<BuildResult> => {
    const solved = await solver.solve()
    const layers = await finishLayers(solved, plan, wantsTars)
    const image = assembleImage(plan.image, layers, new Date())
    const directories = (): Promise<readonly string[]> =>
      directoriesOf(solved.map(({ layer }) => layer))
    const stoppable = { ...settings, signal }
    const descriptor = await deliver(image, { settings: stoppable, store, services, directories })
    return summarize({ plan, image, layers, descriptor, reporter, settings, started })
  }
  // Layers of earlier builds, which the kernel has written by now, are marked as safe: at once, while
  // there is little else to write.
  const marking = (): Promise<void> => store.layers.sync({ olderThan: SETTLED })
  const [, result] = await together([marking, finish], settings.signal)
  await store.blobs.sync()
  return result
}

async function planLoaded(
  { dockerfile }: LoadedDockerfile,
  { settings, store, services }: { settings: Settings; store: Store; services: Services },
): Promise<Plan> {
  const { target, platform, buildArgs, pull, onEvent, signal, network, labels } = settings
  const globals = globalScope(dockerfile, { buildArgs, targetPlatform: platform, target })
  const baseOptions = { store, client: () => services.client(), pull, onEvent }
  const { graph, bases } = await resolveGraph(dockerfile, {
    globals,
    target,
    targetPlatform: platform,
    resolve: (name, wanted, stop) => resolveBase(name, wanted, { ...baseOptions, signal: stop }),
    signal,
  })
  const unused = unusedBuildArgs(graph.dockerfile, globals)
  if (unused.length > 0) {
    const message = `[Warning] One or more build-args [${unused.join(' ')}] were not consumed`
    onEvent({ type: 'warning', message })
  }
  return planBuild(graph, bases, { globals, targetPlatform: platform, network, labels })
}

async function finishLayers(
  solved: readonly ResultLayer[],
  plan: Plan,
  wantsTars: boolean,
): Promise<readonly StepLayer[]> {
  const stack = solved.map(({ layer }) => layer)
  const origins = new Map(
    [...plan.vertices.values()].flatMap((vertex) =>
      vertex.op === 'image'
        ? vertex.base.layers.map((one) => [one, vertex.base.origin] as const)
        : [],
    ),
  )
  if (!wantsTars) return []
  return Promise.all(
    solved.map(async ({ layer, vertex }, index) => {
      const { diffId, size } = await layer.tar(stack.slice(0, index))
      const { base, createdAt } = layer
      const origin = base === undefined ? undefined : origins.get(base)
      return { diffId, size, blob: base, origin, vertex, createdAt }
    }),
  )
}

interface Summary {
  readonly plan: Plan
  readonly image: FinishedImage
  readonly layers: readonly StepLayer[]
  readonly descriptor: Descriptor | undefined
  readonly reporter: Reporter
  readonly settings: Settings
  readonly started: number
}

function summarize(summary: Summary): BuildResult {
  const { plan, image, layers, descriptor, reporter, settings, started } = summary
  const steps = [...plan.vertices.values()].filter(
    (vertex) => isStep(vertex) && vertex.internal !== true,
  )
  return {
    digest: descriptor?.digest,
    descriptor,
    imageId: descriptor === undefined ? undefined : image.id,
    tags: descriptor === undefined ? [] : settings.tags.map(formatReference),
    layers: layers.map(({ diffId, size, vertex }) => ({
      diffId,
      size,
      createdBy: vertex === undefined ? undefined : plan.vertices.get(vertex)?.name,
    })),
    steps: {
      total: steps.length,
      cached: steps.filter(({ id }) => reporter.isCached(id)).length,
    },
    milliseconds: performance.now() - started,
  }
}

/** What went wrong first, where closing what was open went wrong as well. */
function firstOf(cause: unknown): unknown {
  return cause instanceof SuppressedError ? firstOf(cause.suppressed) : cause
}

function checkContext(directory: string): void {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true) return
  const problem = stat === undefined ? 'not found' : 'is not a directory'
  throw new TsbuildError(
    `unable to prepare context: path ${JSON.stringify(directory)} ${problem}`,
    {
      code: 'CONTEXT_INVALID',
      hint: 'the build context is a folder, usually "."',
    },
  )
}
