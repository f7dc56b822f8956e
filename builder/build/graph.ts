import { replacementIn } from '#builder/context'
import type { BuildOptions } from '#builder/options'
import { resolveOptions } from '#builder/options'
import { globalScope, type ResolvedBase, resolveGraph } from '#builder/plan'
import type { Platform } from '#core'
import { diagnosticsError, failureIn, type InstructionGraph } from '#parser'
import { parseReference } from '#registry-client'
import { loadContext } from './load-context.ts'

/**
 * The graph that a build with these options works on, as far as the Dockerfile alone shows it: nothing
 * else is read, no base image is resolved, and ONBUILD triggers of base images are not in it. Of
 * several platforms the first one counts.
 * @throws {SourceError} when the Dockerfile is wrong
 * @throws {TsbuildError} USAGE, CONTEXT_INVALID, PLATFORM_MISMATCH
 */
export async function instructionGraph(options: BuildOptions): Promise<InstructionGraph> {
  const settings = resolveOptions(options)
  await using context = await loadContext(settings)
  const { source, parsed } = context.loaded
  const wrong = diagnosticsError(parsed.diagnostics, source)
  if (wrong !== undefined) throw wrong
  const { buildArgs, platforms, target, signal } = settings
  const [targetPlatform] = platforms
  try {
    const { graph } = await resolveGraph(parsed.dockerfile, {
      globals: globalScope(parsed.dockerfile, { buildArgs, targetPlatform, target }),
      target,
      targetPlatform,
      replace: replacementIn(settings.contexts),
      resolve: async (name, platform) => unknownBase(name, platform),
      signal,
    })
    return graph
  } catch (cause) {
    throw failureIn(cause, source)
  }
}

/** Stands for an image of which only the name is known. @throws {TsbuildError} REFERENCE_INVALID */
function unknownBase(name: string, platform: Platform): ResolvedBase {
  if (!name.includes('://')) parseReference(name)
  const config = { platform, config: {}, diffIds: [], history: [] }
  return { name, manifest: undefined, config, layers: [] }
}
