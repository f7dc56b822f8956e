import type { RemoteFetcher } from '#builder/fetch'
import type { BuildOptions } from '#builder/options'
import { resolveOptions } from '#builder/options'
import type { StepSecrets } from '#builder/solve'
import { openStore } from '#cache'
import { isCancelled, TsbuildError, throwIfCancelled, typedFailure } from '#core'
import { type CheckWarning, diagnosticsError, failureIn, type SourceFile } from '#parser'
import { baseResolver, planLoaded } from './build-plan.ts'
import { openChecks } from './checks.ts'
import { loadContext } from './load-context.ts'
import { Services } from './services.ts'

/** What the build checks say of a Dockerfile, and whether it can be built. */
export interface BuildCheck {
  /** In the order in which they were found. */
  readonly warnings: readonly CheckWarning[]
  readonly source: SourceFile
  /** Where the Dockerfile is, absolute; `undefined` for one that is given as text. */
  readonly path: string | undefined
  /** Why it cannot be built: a mistake, a base that cannot be resolved, warnings that are errors. */
  readonly error: TsbuildError | undefined
}

/** No step runs, so none asks for a secret. */
const NO_SECRETS: StepSecrets = { secret: async () => undefined, agent: async () => undefined }

/**
 * Does everything that comes before the first step of a build, for all stages unless there is a
 * target, and reports what the build checks have found. Of several platforms the first one is checked.
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID, CANCELLED, store failures
 */
export async function checkBuild(options: BuildOptions): Promise<BuildCheck> {
  const settings = resolveOptions(options)
  await using context = await loadContext(settings)
  const { loaded } = context
  const { source, path, parsed } = loaded
  const checks = openChecks(loaded, settings)
  throwIfCancelled(settings.signal, 'check')
  const wrong = diagnosticsError(parsed.diagnostics, source)
  if (wrong !== undefined) return { warnings: checks.warnings, source, path, error: wrong }
  await using store = openStore(settings.root)
  await using services = new Services(settings, {
    ...{ store, secrets: NO_SECRETS, context: context.directory },
  })
  const stages = settings.target === undefined ? 'all' : 'target'
  const [platform] = settings.platforms
  const { signal } = settings
  try {
    const resolve = baseResolver({ settings, store, services })
    const fetcher = (): RemoteFetcher => services.fetcher()
    const contextCreatedAt = context.createdAt
    const sources = { resolve, contextCreatedAt, fetcher }
    await planLoaded(loaded, platform, { settings, ...sources, checks, stages, signal })
    return { warnings: checks.warnings, source, path, error: undefined }
  } catch (thrown) {
    const cause = typedFailure('check', thrown)
    if (!(cause instanceof TsbuildError) || isCancelled(cause)) throw cause
    return { warnings: checks.warnings, source, path, error: failureIn(cause, source) }
  }
}
