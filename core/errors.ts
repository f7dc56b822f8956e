/**
 * What a caller may decide on. Messages are for people and may change; codes are the contract.
 * Each has an entry in `docs/errors.md`.
 */
export type ErrorCode =
  | 'CANCELLED'
  | 'CONFIG_INVALID'
  | 'CONFLICT'
  | 'CONTEXT_INVALID'
  | 'DIGEST_MISMATCH'
  | 'DOCKERFILE_INVALID'
  | 'DOWNLOAD_FAILED'
  | 'ENGINE_FAILED'
  | 'ENGINE_UNREACHABLE'
  | 'IO_FAILED'
  | 'LAYER_INVALID'
  | 'MANIFEST_INVALID'
  | 'NO_SPACE'
  | 'NOT_FOUND'
  | 'NOT_MODIFIED'
  | 'PEER_GONE'
  | 'PERMISSION_DENIED'
  | 'PLATFORM_MISMATCH'
  | 'REFERENCE_INVALID'
  | 'REGISTRY_DENIED'
  | 'REGISTRY_FAILED'
  | 'REGISTRY_UNREACHABLE'
  | 'SANDBOX_UNAVAILABLE'
  | 'SIZE_MISMATCH'
  | 'SNAPSHOT_FULL'
  | 'SNAPSHOT_UNAVAILABLE'
  | 'STEP_FAILED'
  | 'STORE_INVALID'
  | 'UNSUPPORTED'
  | 'USAGE'

/** What an error has besides its message. */
export interface FailureOptions {
  readonly code: ErrorCode
  readonly cause?: unknown
  /** One sentence that tells the user what to do next. */
  readonly hint?: string | undefined
}

/** Every failure a user can reach. A bug in tsbuild stays a plain `Error`. */
export class TsbuildError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(message: string, options: FailureOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.hint = options.hint
  }
}

/** Ends a switch over a union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}

/** The first failure, where releasing resources after it failed as well. */
export function firstFailure(cause: unknown): unknown {
  let first = cause
  while (isSuppressed(first)) first = first.suppressed
  return first
}

/** By its name: Node has the class only since version 24, and what stands in for it before has none. */
function isSuppressed(cause: unknown): cause is Error & { readonly suppressed: unknown } {
  return cause instanceof Error && cause.name === 'SuppressedError' && 'suppressed' in cause
}

/** Whether a failure comes from an abort, and not from the work itself. */
export function isCancelled(failure: unknown): boolean {
  const cause = firstFailure(failure)
  return cause instanceof TsbuildError && cause.code === 'CANCELLED'
}

/** @throws {TsbuildError} CANCELLED once `signal` is aborted, whatever its reason is */
export function throwIfCancelled(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted !== true) return
  throw new TsbuildError(`${doing}: cancelled`, { code: 'CANCELLED', cause: signal.reason })
}

/** Errors of Linux that Node knows by their numbers only: names and texts. Spec: errno(3) */
const UNNAMED: ReadonlyMap<unknown, readonly [name: string, text: string]> = new Map([
  [-116, ['ESTALE', 'stale file handle']],
  [-117, ['EUCLEAN', 'structure needs cleaning']],
  [-122, ['EDQUOT', 'disk quota exceeded']],
])

/** What the system says of a failed system call, where Node does not know it; else `undefined`. */
export function unnamedReason(cause: unknown): string | undefined {
  return unnamedError(cause)?.[1]
}

function unnamedError(cause: unknown): readonly [name: string, text: string] | undefined {
  return cause instanceof Error && 'errno' in cause ? UNNAMED.get(cause.errno) : undefined
}

/** The errno name (`ENOENT`, `EACCES`, …) of a failed system call, or `undefined`. */
export function errnoOf(failure: unknown): string | undefined {
  const cause = firstFailure(failure)
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  return unnamedError(cause)?.[0] ?? (typeof cause.code === 'string' ? cause.code : undefined)
}

/**
 * Wraps a failed system call in what was being done: `ENOSPC` and `EDQUOT` become `NO_SPACE`. Any other
 * failure is a bug or a typed error already, and is thrown as it is.
 */
export function ioError(doing: string, failure: unknown): TsbuildError {
  const cause = firstFailure(failure)
  if (cause instanceof TsbuildError) return cause
  const errno = errnoOf(cause)
  if (errno === undefined || !(cause instanceof Error)) throw cause
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    const reason = errno === 'ENOSPC' ? 'no space left on device' : 'disk quota exceeded'
    const hint = 'free some space, or put the store elsewhere with --root'
    return new TsbuildError(`${doing}: ${reason}`, { code: 'NO_SPACE', cause, hint })
  }
  const denied = errno === 'EACCES' || errno === 'EPERM'
  return new TsbuildError(`${doing}: ${unnamedReason(cause) ?? cause.message}`, {
    code: denied ? 'PERMISSION_DENIED' : 'IO_FAILED',
    cause,
  })
}

/** Node's own errors have codes with underscores; those are bugs. */
const ERRNO = /^E[A-Z0-9]+$/

/**
 * The failure with a code: a failed system call that is not wrapped yet is wrapped; a bug stays as it is.
 * For places through which every failure passes. Code that knows what was being done wraps it there.
 */
export function typedFailure(doing: string, failure: unknown): unknown {
  const cause = firstFailure(failure)
  return ERRNO.test(errnoOf(cause) ?? '') ? ioError(doing, cause) : cause
}

/** The error for what cannot be meant as it stands. */
export function usageError(message: string, hint?: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE', hint })
}

/** The error for what is understood, and is not done. */
export function unsupportedError(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'UNSUPPORTED', hint })
}
