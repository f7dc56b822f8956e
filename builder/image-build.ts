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
  Reporter,
  type ResultLayer,
  type Schedule,
  Solver,
  type TreeSpec,
} from '#builder/solve'
import type { Store } from '#cache'
import { hostPlatform, type Platform } from '#core'
import type { LoadedDockerfile } from './dockerfile-source.ts'
import type { Services } from './services.ts'
import type { Settings } from './settings.ts'

/** What the images of one build share. */
export interface ImageDeps {
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  readonly schedule: Schedule
  /** Gets what has to stay open until the images have gone where they are to go. */
  readonly resources: AsyncDisposableStack
  readonly signal: AbortSignal
}

/** The image of one platform. */
export interface BuiltImage {
  readonly plan: Plan
  readonly reporter: Reporter
  readonly layers: readonly StepLayer[]
  readonly image: FinishedImage
  /** Overlay directories, topmost first. */
  readonly directories: () => Promise<readonly string[]>
}

/** Plans and solves a Dockerfile for one platform. */
export async function buildImage(
  loaded: LoadedDockerfile,
  platform: Platform,
  deps: ImageDeps,
): Promise<BuiltImage> {
  const { settings, store, services, schedule, resources, signal } = deps
  const plan = await planFor(loaded, platform, deps)
  const reporter = new Reporter(settings.onEvent)
  const wantsTars = settings.outputs.some(({ type }) => type !== 'local' && type !== 'tar')
  const context: TreeSpec = {
    kind: 'context',
    directory: settings.context,
    ignore: loaded.ignore,
  }
  const solver = resources.use(
    new Solver(plan, {
      store,
      pool: services.pool,
      sandbox: () => services.sandbox(),
      secrets: services.secrets,
      fetcher: () => services.fetcher(),
      schedule,
      context,
      host: hostPlatform(),
      reporter,
      noCache: settings.noCache,
      wantsTars,
      signal,
    }),
  )
  const solved = await solver.solve()
  const layers = wantsTars ? await finishLayers(solved, plan) : []
  const image = assembleImage(plan.image, layers, new Date())
  const directories = (): Promise<readonly string[]> =>
    directoriesOf(solved.map(({ layer }) => layer))
  return { plan, reporter, layers, image, directories }
}

async function planFor(
  { dockerfile }: LoadedDockerfile,
  platform: Platform,
  { settings, store, services, signal }: ImageDeps,
): Promise<Plan> {
  const { target, platforms, buildArgs, pull, onEvent, network, labels } = settings
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
  // Said once, and not for every platform.
  if (unused.length > 0 && platform === platforms[0]) {
    const message = `[Warning] One or more build-args [${unused.join(' ')}] were not consumed`
    onEvent({ type: 'warning', message })
  }
  const isOneOfSeveral = platforms.length > 1
  return planBuild(graph, bases, {
    globals,
    targetPlatform: platform,
    network,
    labels,
    isOneOfSeveral,
  })
}

async function finishLayers(
  solved: readonly ResultLayer[],
  plan: Plan,
): Promise<readonly StepLayer[]> {
  const stack = solved.map(({ layer }) => layer)
  const origins = new Map(
    [...plan.vertices.values()].flatMap((vertex) =>
      vertex.op === 'image'
        ? vertex.base.layers.map((one) => [one, vertex.base.origin] as const)
        : [],
    ),
  )
  return Promise.all(
    solved.map(async ({ layer, vertex }, index) => {
      const { diffId, size } = await layer.tar(stack.slice(0, index))
      const { base, createdAt } = layer
      const origin = base === undefined ? undefined : origins.get(base)
      return { diffId, size, blob: base, origin, vertex, createdAt }
    }),
  )
}
