import type { Dockerfile } from '../ast/ast.ts'
import { parseDockerfile } from '../grammar/parse.ts'
import { type LinkedStage, linkStages } from '../graph/graph.ts'
import { expandTracked } from '../scope/expanded.ts'
import { diagnosticsError, SourceError, type SourceFile } from '../text/diagnostics.ts'
import { type CheckedBase, type ChecksOptions, DockerfileChecks } from './checks.ts'
import type { CheckWarning } from './linter.ts'

/** What is given besides the Dockerfile. */
export interface CheckOptions extends ChecksOptions {
  /** Stage to check with what it needs; all stages unless given. */
  readonly target?: string | undefined
  /** What is known of the image that a stage is built on. */
  readonly baseOf?: ((linked: LinkedStage) => CheckedBase | undefined) | undefined
  /** The name of the file in errors; `Dockerfile` unless given. */
  readonly filename?: string | undefined
}

/** What the checks have found. */
export interface CheckResult {
  /** In the order in which they were found. */
  readonly warnings: readonly CheckWarning[]
  /** Why the file cannot be built: a mistake in it, or warnings with `error=true`. */
  readonly error: SourceError | undefined
}

/**
 * Runs all build checks that need no image: what `tsbuild build --check` does, without a network.
 * Pure; a wrong Dockerfile is a value.
 * @throws {TsbuildError} USAGE when BUILDKIT_DOCKERFILE_CHECK is wrong, CONTEXT_INVALID when the
 *   `.dockerignore` is
 */
export function checkDockerfile(
  source: string | Uint8Array,
  options: CheckOptions = {},
): CheckResult {
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
  const file = { filename: options.filename ?? 'Dockerfile', text }
  const parsed = parseDockerfile(source)
  const checks = new DockerfileChecks(parsed, options)
  checks.checkText()
  const error =
    diagnosticsError(parsed.diagnostics, file) ??
    checkLinked(checks, parsed.dockerfile, { options, file })
  return { warnings: checks.warnings, error: error ?? checks.failure()?.in(file) }
}

interface LinkContext {
  readonly options: CheckOptions
  readonly file: SourceFile
}

/** Links and checks the stages; the mistake that keeps them from being linked. */
function checkLinked(
  checks: DockerfileChecks,
  dockerfile: Dockerfile,
  { options, file }: LinkContext,
): SourceError | undefined {
  const context = { variables: checks.globals.values, escape: dockerfile.escape }
  try {
    const graph = linkStages(dockerfile, {
      target: options.target,
      scope: options.target === undefined ? 'all' : 'target',
      expand: ({ raw }) => expandTracked(raw, context).value ?? '',
    })
    checks.checkStages(graph, options.baseOf ?? (() => undefined))
    return undefined
  } catch (cause) {
    if (cause instanceof SourceError) return cause.in(file)
    throw cause
  }
}
