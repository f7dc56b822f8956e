import { isStep, type StepSecrets, scheduler } from '#builder/solve'
import { hasFileDigests, openStore } from '#cache'
import {
  type Descriptor,
  formatPlatform,
  Resources,
  TsbuildError,
  throwIfCancelled,
  together,
  typedFailure,
} from '#core'
import { type DockerfileChecks, diagnosticsError, failureIn } from '#parser'
import { formatReference } from '#registry-client'
import { baseResolver, planLoaded } from './build-plan.ts'
import { checkOutputs } from './check-outputs.ts'
import { openChecks } from './checks.ts'
import { deliver } from './deliver.ts'
import { explainNoSpace } from './full-disk.ts'
import { type BuiltImage, buildImage } from './image-build.ts'
import { type OpenedContext, openContext } from './open-context.ts'
import type { BuildOptions, BuildResult } from './options.ts'
import { reportWaits } from './reported-waits.ts'
import { Services } from './services.ts'
import { resolveOptions, type Settings } from './settings.ts'
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
  checkOutputs(settings.outputs, options)
  try {
    throwIfCancelled(settings.signal, 'build')
    const secrets = await openSecrets(settings)
    await using context = await openContext(settings, secrets)
    return await buildChecked(context, { secrets, settings, started })
  } catch (thrown) {
    const cause = typedFailure('build', thrown)
    if (settings.signal?.aborted === true) {
      throw new TsbuildError('build cancelled', { code: 'CANCELLED', cause })
    }
    throw explainNoSpace(cause, settings)
  }
}

interface Request {
  readonly secrets: StepSecrets
  readonly settings: Settings
  /** As `performance.now()` told it. */
  readonly started: number
}

async function buildChecked(context: OpenedContext, request: Request): Promise<BuildResult> {
  const { loaded } = context
  try {
    const checks = openChecks(loaded, request.settings)
    const mistakes = diagnosticsError(loaded.parsed.diagnostics, loaded.source)
    if (mistakes !== undefined) throw mistakes
    return await buildLoaded(context, checks, request)
  } catch (thrown) {
    throw failureIn(typedFailure('build', thrown), loaded.source)
  }
}

async function buildLoaded(
  context: OpenedContext,
  checks: DockerfileChecks,
  { secrets, settings, started }: Request,
): Promise<BuildResult> {
  const { loaded } = context
  await using store = openStore(settings.root, { onWait: reportWaits(settings.onEvent, 'build') })
  await using services = new Services(settings, { store, secrets })
  await using resources = new Resources()
  // One thread reads what is copied, another writes it; they come up while bases are looked for.
  if (copiesNewFiles(context, settings)) services.pool.warmUp(2)
  const finish = async (signal: AbortSignal): Promise<BuildResult> => {
    const schedule = scheduler(settings.jobs)
    const shared = { settings, store, services }
    const planning = {
      settings,
      checks,
      stages: 'target',
      resolve: baseResolver(shared),
      contextMadeAt: context.madeAt,
      fetcher: () => services.fetcher(),
    } as const
    // A check that fails the build does so before any step runs, on whatever platform.
    const plans = await together(
      settings.platforms.map((platform) => (stop: AbortSignal) => {
        return planLoaded(loaded, platform, { ...planning, signal: stop })
      }),
      signal,
    )
    const images = await together(
      plans.map((plan, index) => (stop: AbortSignal) => {
        const platform = settings.platforms[index] ?? settings.platforms[0]
        const deps = { ...shared, context, schedule, resources, platform, signal: stop }
        return buildImage(plan, deps)
      }),
      signal,
    )
    // Its failure is told when the services are disposed of.
    services.closeSandbox().catch(() => undefined)
    const stoppable = { ...settings, signal }
    const descriptor = await deliver(images, { settings: stoppable, store, services })
    return summarize({ images, descriptor, settings, started })
  }
  // Layers of earlier builds, which the kernel has written by now, are marked as safe: at once, while
  // there is little else to write.
  const marking = (): Promise<void> => store.layers.sync({ olderThan: SETTLED })
  const [, result] = await together([marking, finish], settings.signal)
  await store.blobs.sync()
  return result
}

/** Whether files are copied out of a context that no build has read. */
function copiesNewFiles({ directory, loaded }: OpenedContext, { root }: Settings): boolean {
  const copies = loaded.parsed.dockerfile.stages.some(({ instructions }) =>
    instructions.some((one) => one.kind === 'add' || (one.kind === 'copy' && !one.from)),
  )
  return copies && !hasFileDigests(root, directory)
}

interface Summary {
  readonly images: readonly BuiltImage[]
  readonly descriptor: Descriptor | undefined
  readonly settings: Settings
  readonly started: number
}

function summarize({ images, descriptor, settings, started }: Summary): BuildResult {
  const steps = images.flatMap(({ plan, reporter }) =>
    [...plan.vertices.values()]
      .filter((vertex) => isStep(vertex) && vertex.internal !== true)
      .map(({ id }) => reporter.isCached(id)),
  )
  const built = images.map(summarizeImage)
  const [first] = built
  const { isIndex } = settings
  return {
    digest: descriptor?.digest,
    descriptor,
    imageId: descriptor === undefined ? undefined : isIndex ? descriptor.digest : first?.id,
    tags: descriptor === undefined ? [] : settings.tags.map(formatReference),
    layers: built.flatMap(({ layers }) => layers),
    images: built,
    steps: { total: steps.length, cached: steps.filter((isCached) => isCached).length },
    milliseconds: performance.now() - started,
  }
}

function summarizeImage({ plan, image, layers }: BuiltImage): BuildResult['images'][number] {
  return {
    platform: formatPlatform(image.platform),
    id: image.id,
    layers: layers.map(({ diffId, size, vertex }) => ({
      diffId,
      size,
      createdBy: vertex === undefined ? undefined : plan.vertices.get(vertex)?.name,
    })),
  }
}
