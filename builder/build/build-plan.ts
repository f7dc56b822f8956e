import type { LoadedDockerfile } from '#builder/context'
import {
  plannedContexts,
  REPRODUCIBLE_TIME,
  replacementIn,
  resolveSourceDateEpoch,
  type SourceDateEpochDeps,
} from '#builder/context'
import type { Settings } from '#builder/options'
import {
  globalScope,
  type Plan,
  type PlanOptions,
  planBuild,
  type ResolvedBase,
  type ResolveGraphOptions,
  resolveBase,
  resolveGraph,
  unmatchedFilters,
  unusedBuildArgs,
} from '#builder/plan'
import type { Store } from '#cache'
import { formatPlatform, type Platform } from '#core'
import type { Dockerfile, DockerfileChecks } from '#parser'
import { checkedBases } from './checks.ts'
import type { Services } from './services.ts'

interface PlanDeps {
  readonly settings: Settings
  readonly resolve: ResolveGraphOptions['resolve']
  readonly onLinked?: ResolveGraphOptions['onLinked']
  readonly contextCreatedAt: SourceDateEpochDeps['contextCreatedAt']
  readonly fetcher: SourceDateEpochDeps['fetcher']
  readonly checks: DockerfileChecks
  /** Which stages are planned: what the target needs, or all there are. */
  readonly stages: 'target' | 'all'
  readonly signal: AbortSignal | undefined
}

interface ResolverDeps {
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
}

/** Resolves an image for a platform once, for all plans of one build. */
export function baseResolver(deps: ResolverDeps): ResolveGraphOptions['resolve'] {
  const { settings, store, services } = deps
  const { pull, onEvent } = settings
  const options = { store, client: () => services.client(), pull, onEvent }
  const resolved = new Map<string, Promise<ResolvedBase>>()
  return (name, platform, signal) => {
    const key = `${name} ${formatPlatform(platform)}`
    const known = resolved.get(key) ?? resolveBase(name, platform, { ...options, signal })
    resolved.set(key, known)
    return known
  }
}

/**
 * Plans a Dockerfile without mistakes in its text for one platform: resolves the bases and checks the
 * stages on the way. What concerns the file is reported for the first platform only.
 * @throws {SourceError} for a Dockerfile that cannot be built, or whose checks are to be errors
 */
export async function planLoaded(
  { parsed: { dockerfile } }: LoadedDockerfile,
  platform: Platform,
  { settings, resolve, onLinked, contextCreatedAt, fetcher, checks, stages, signal }: PlanDeps,
): Promise<Plan> {
  const { target, platforms, buildArgs, onEvent, network, steps, labels } = settings
  const given = globalScope(dockerfile, { buildArgs, targetPlatform: platform, target })
  const { contexts } = settings
  const sources = { contexts, contextCreatedAt, fetcher, platform, onEvent, signal }
  const { globals, sourceDateEpoch } = await resolveSourceDateEpoch(dockerfile, given, sources)
  const { graph, bases } = await resolveGraph(dockerfile, {
    globals,
    target,
    stages,
    targetPlatform: platform,
    replace: replacementIn(settings.contexts),
    resolve,
    onLinked,
    signal,
  })
  const isFirst = platform === platforms[0]
  if (isFirst) {
    const unused = unusedBuildArgs(graph.dockerfile, globals)
    for (const message of warningsAbout(graph.dockerfile, unused, settings)) {
      onEvent({ type: 'warning', message })
    }
    checks.checkStages(graph, checkedBases(bases, platform))
  }
  const plan = planBuild(graph, bases, {
    globals,
    targetPlatform: platform,
    isPlatformGiven: settings.isPlatformGiven,
    contexts: plannedContexts(settings.contexts),
    network,
    steps,
    labels,
    fresh: settings.fresh,
    isOneOfSeveral: settings.isIndex,
    ...timesOf(sourceDateEpoch, settings),
  })
  const failure = isFirst ? checks.failure() : undefined
  if (failure !== undefined) throw failure
  return plan
}

function warningsAbout(
  { stages }: Dockerfile,
  unused: readonly string[],
  { fresh }: Pick<Settings, 'fresh'>,
): readonly string[] {
  const consumed = `[Warning] One or more build-args [${unused.join(' ')}] were not consumed`
  return [
    ...(unused.length > 0 ? [consumed] : []),
    ...(fresh === 'all' ? [] : unmatchedFilters(fresh, stages)),
  ]
}

function timesOf(
  sourceDateEpoch: number | undefined,
  { reproducible }: Settings,
): Pick<PlanOptions, 'sourceDateEpoch' | 'maxMtime'> {
  if (!reproducible) return { sourceDateEpoch, maxMtime: undefined }
  const maxMtime = Math.min(sourceDateEpoch ?? REPRODUCIBLE_TIME, REPRODUCIBLE_TIME)
  return { sourceDateEpoch: sourceDateEpoch ?? maxMtime, maxMtime }
}
