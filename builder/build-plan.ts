import {
  type GlobalScope,
  globalScope,
  type Plan,
  type PlanOptions,
  planBuild,
  resolveBase,
  resolveGraph,
  unusedBuildArgs,
} from '#builder/plan'
import type { Store } from '#cache'
import { type Platform, suggestion } from '#core'
import type { Dockerfile, DockerfileChecks } from '#parser'
import { checkedBases } from './checks.ts'
import type { LoadedDockerfile } from './dockerfile-source.ts'
import { epochOf, REPRODUCIBLE_TIME } from './epoch.ts'
import { plannedContexts, replacementIn } from './named-contexts.ts'
import type { Services } from './services.ts'
import type { Settings } from './settings.ts'

interface PlanDeps {
  readonly settings: Settings
  readonly store: Store
  readonly services: Services
  readonly checks: DockerfileChecks
  /** Which stages are planned: what the target needs, or all there are. */
  readonly stages: 'target' | 'all'
  readonly signal: AbortSignal | undefined
}

/**
 * Plans a Dockerfile without mistakes in its text for one platform: resolves the bases and checks the
 * stages on the way. What is to be said about the file is said for the first platform only.
 * @throws {SourceError} for a Dockerfile that cannot be built, or whose checks are to be errors
 */
export async function planLoaded(
  { parsed: { dockerfile } }: LoadedDockerfile,
  platform: Platform,
  { settings, store, services, checks, stages, signal }: PlanDeps,
): Promise<Plan> {
  const { target, platforms, buildArgs, pull, onEvent, network, steps, labels } = settings
  const globals = globalScope(dockerfile, { buildArgs, targetPlatform: platform, target })
  const baseOptions = { store, client: () => services.client(), pull, onEvent }
  const { graph, bases } = await resolveGraph(dockerfile, {
    globals,
    target,
    stages,
    targetPlatform: platform,
    replace: replacementIn(settings.contexts),
    resolve: (name, wanted, stop) => resolveBase(name, wanted, { ...baseOptions, signal: stop }),
    signal,
  })
  const isFirst = platform === platforms[0]
  const unused = unusedBuildArgs(graph.dockerfile, globals)
  if (unused.length > 0 && isFirst) {
    const message = `[Warning] One or more build-args [${unused.join(' ')}] were not consumed`
    onEvent({ type: 'warning', message })
  }
  if (isFirst)
    for (const message of unknownStages(dockerfile, settings)) {
      onEvent({ type: 'warning', message })
    }
  if (isFirst) checks.checkStages(graph, checkedBases(bases, platform))
  const plan = planBuild(graph, bases, {
    globals,
    targetPlatform: platform,
    contexts: plannedContexts(settings.contexts),
    network,
    steps,
    labels,
    fresh: typeof settings.noCache === 'boolean' ? [] : settings.noCache,
    isOneOfSeveral: platforms.length > 1,
    ...timesOf(globals, settings),
  })
  const failure = isFirst ? checks.failure() : undefined
  if (failure !== undefined) throw failure
  return plan
}

/** What is to be said about names that no stage has. */
function unknownStages({ stages }: Dockerfile, { noCache }: Settings): readonly string[] {
  if (typeof noCache === 'boolean') return []
  const known = stages.flatMap(({ name }) => (name === undefined ? [] : [name.toLowerCase()]))
  return noCache.flatMap((name) => {
    if (known.includes(name.toLowerCase())) return []
    const similar = suggestion(name.toLowerCase(), known)
    const meant = similar === undefined ? '' : ` (did you mean ${similar}?)`
    return [`no stage is called ${name}: its results are looked up as usual${meant}`]
  })
}

function timesOf(
  globals: GlobalScope,
  { reproducible }: Settings,
): Pick<PlanOptions, 'epoch' | 'latest'> {
  const epoch = epochOf(globals)
  if (!reproducible) return { epoch, latest: undefined }
  const latest = Math.min(epoch ?? REPRODUCIBLE_TIME, REPRODUCIBLE_TIME)
  return { epoch: epoch ?? latest, latest }
}
