import {
  assembleImage,
  describePresumed,
  type FinishedImage,
  presumedOwners,
  type StepLayer,
} from '#builder/export'
import type { Plan } from '#builder/plan'
import {
  checkedDirectories,
  Reporter,
  type ResultLayer,
  type Schedule,
  Solver,
  type TreeSpec,
} from '#builder/solve'
import type { Store } from '#cache'
import { hostPlatform, MORE_IDS, type Platform, type Resources } from '#core'
import { contextTrees } from './named-contexts.ts'
import type { OpenedContext } from './open-context.ts'
import { plannedVertices } from './planned-vertices.ts'
import { rewriteTimes } from './rewrite-times.ts'
import type { Services } from './services.ts'
import type { Settings } from './settings.ts'

/** More are no fault, but do not run everywhere. */
const MOST_LAYERS = 127

/** What the images of one build share. */
export interface ImageDeps {
  readonly context: OpenedContext
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  readonly schedule: Schedule
  /** Gets what has to stay open until the images have gone where they are to go. */
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
  /** The image with no file of a new layer newer than `epoch`. */
  readonly rewritten: () => Promise<FinishedImage>
  /** `SOURCE_DATE_EPOCH` in milliseconds. */
  readonly epoch: number | undefined
  /** Overlay directories, topmost first, as fit to leave the machine. */
  readonly directories: () => Promise<readonly string[]>
}

/** Solves the plan of one platform. */
export async function buildImage(plan: Plan, deps: ImageDeps): Promise<BuiltImage> {
  const { settings, store, services, schedule, resources, signal, platform } = deps
  const { epoch } = plan
  const reporter = new Reporter(settings.onEvent)
  const wantsTars = settings.outputs.some(({ type }) => type !== 'local' && type !== 'tar')
  const modes = settings.reproducible ? 'git' : 'kept'
  const { directory, transient, loaded } = deps.context
  const context: TreeSpec = {
    kind: 'context',
    directory,
    ignore: loaded.ignore,
    modes,
    transient,
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
      namedContexts: contextTrees(settings.contexts, modes),
      host: hostPlatform(),
      reporter,
      noCache: settings.noCache === true,
      wantsTars,
      signal,
    }),
  )
  const { dockerfile } = loaded.parsed
  const vertices = plannedVertices(plan, dockerfile, platform)
  settings.onEvent({ type: 'planned', vertices })
  const solved = await solver.solve()
  if (wantsTars && solved.length > MOST_LAYERS) {
    settings.onEvent({ type: 'warning', message: manyLayers(solved.length) })
  }
  const layers = wantsTars ? await finishLayers(solved, plan) : []
  const presumed = presumedOwners({ layers }, store)
  if (presumed !== undefined) {
    const message = `${describePresumed(presumed)} (${MORE_IDS})`
    settings.onEvent({ type: 'warning', message })
  }
  const now = new Date()
  const image = assembleImage(plan.image, layers, { now, epoch })
  const rewritten = async (): Promise<FinishedImage> => {
    if (epoch === undefined) return image
    const rewriting = layers.map((layer) =>
      rewriteTimes(layer, epoch, { store, pool: services.pool, signal }),
    )
    return assembleImage(plan.image, await Promise.all(rewriting), { now, epoch })
  }
  const directories = (): Promise<readonly string[]> =>
    checkedDirectories(solved.map(({ layer }) => layer))
  return { plan, reporter, layers, image, rewritten, epoch, directories }
}

function manyLayers(count: number): string {
  return `the image has ${count} layers: docker's overlay2 driver takes no more than 128; join steps, or copy the result into a stage with fewer`
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
