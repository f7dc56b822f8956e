import { TsbuildError } from '#core'

/** Exit codes of a container whose program could not be started, as docker has them. */
const CODES = { other: 128, notExecutable: 126, notFound: 127 } as const

/** The exit code that says why a program could not be started. */
export function startFailureCode(cause: unknown): number {
  if (!(cause instanceof TsbuildError) || cause.code !== 'STEP_FAILED') return CODES.other
  if (/not found in \$PATH|no such file/.test(cause.message)) return CODES.notFound
  return /permission denied|format error|not a directory|is a directory/.test(cause.message)
    ? CODES.notExecutable
    : CODES.other
}

/** What is said before the reason. Parts of it are of docker's parts, which there are none of here: tools match them. */
const PREFIXES = {
  create:
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init',
  exec: 'OCI runtime exec failed: exec failed: unable to start container process',
} as const

/** The failure to start a program, in words by which clients tell these cases apart; others have their own. */
export function startFailure(cause: unknown, what: keyof typeof PREFIXES): TsbuildError {
  if (cause instanceof TsbuildError && cause.code !== 'STEP_FAILED') return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const hint = cause instanceof TsbuildError ? cause.hint : undefined
  // Found by docker before its runtime begins.
  if (message.startsWith('unable to find ')) {
    return new TsbuildError(message, { code: 'USAGE', hint, cause })
  }
  const code = startFailureCode(cause) === CODES.other ? 'IO_FAILED' : 'USAGE'
  return new TsbuildError(`${PREFIXES[what]}: ${message}`, { code, hint, cause })
}

/** The exit code of a process beside the program of a container that could not be started. */
export function execFailureCode(cause: unknown): number {
  return startFailureCode(cause) === CODES.notFound ? CODES.notFound : CODES.notExecutable
}
