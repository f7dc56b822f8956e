import type { BuildOptions } from '#builder/options'
import { resolveOptions } from '#builder/options'
import { predefinedArgs } from '#builder/plan'
import {
  diagnosticsError,
  failureIn,
  listTargets,
  type Outline,
  outlineTarget,
  type SourceFile,
  type Target,
} from '#parser'
import { loadContext } from './load-context.ts'

/** The targets of a Dockerfile, and what their builds can be given. */
export interface BuildDescription {
  readonly source: SourceFile
  readonly targets: readonly Target[]
  /** Finds out what can be given to the build of the target. @throws {SourceError} */
  outline(): Outline
}

/**
 * Reads a Dockerfile for its targets and their parameters.
 * @throws {SourceError} when the Dockerfile is wrong
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID
 */
export async function describeBuild(options: BuildOptions): Promise<BuildDescription> {
  const settings = resolveOptions(options)
  await using context = await loadContext(settings)
  const { source, parsed } = context.loaded
  const wrong = diagnosticsError(parsed.diagnostics, source)
  if (wrong !== undefined) throw wrong
  const { dockerfile } = parsed
  const { buildArgs, platforms, target } = settings
  const [targetPlatform] = platforms
  const outline = (): Outline => {
    const predefined = predefinedArgs(dockerfile, { buildArgs, targetPlatform, target })
    try {
      return outlineTarget(dockerfile, { target, buildArgs, predefined })
    } catch (cause) {
      throw failureIn(cause, source)
    }
  }
  return { source, targets: listTargets(dockerfile), outline }
}
