/**
 * What a caller may decide on. Messages are for people and may change; codes are the contract.
 * Each has an entry in `docs/errors.md`.
 */
export type ErrorCode =
  | 'CANCELLED'
  | 'CONFIG_INVALID'
  | 'CONTEXT_INVALID'
  | 'DIGEST_MISMATCH'
  | 'DOCKERFILE_INVALID'
  | 'DOWNLOAD_FAILED'
  | 'IO_FAILED'
  | 'LAYER_INVALID'
  | 'MANIFEST_INVALID'
  | 'NO_SPACE'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'PLATFORM_MISMATCH'
  | 'REFERENCE_INVALID'
  | 'REGISTRY_DENIED'
  | 'REGISTRY_FAILED'
  | 'REGISTRY_UNREACHABLE'
  | 'SANDBOX_UNAVAILABLE'
  | 'SIZE_MISMATCH'
  | 'STEP_FAILED'
  | 'STORE_INVALID'
  | 'UNSUPPORTED'
  | 'USAGE'

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

/** Whether something was stopped, and did not fail by itself. */
export function isCancelled(cause: unknown): boolean {
  return cause instanceof TsbuildError && cause.code === 'CANCELLED'
}

/** @throws {TsbuildError} CANCELLED once `signal` is aborted, whatever its reason is */
export function throwIfCancelled(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted !== true) return
  throw new TsbuildError(`${doing}: cancelled`, { code: 'CANCELLED', cause: signal.reason })
}

/** The errno name (`ENOENT`, `EACCES`, …) of a failed system call, or `undefined`. */
export function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}

/**
 * Wraps a failed system call in what was being done: `ENOSPC` and `EDQUOT` become `NO_SPACE`. What is
 * no system call's failure is a bug or a message between callers, and is thrown as it is.
 */
export function ioError(doing: string, cause: unknown): TsbuildError {
  if (cause instanceof TsbuildError) return cause
  const errno = errnoOf(cause)
  if (errno === undefined || !(cause instanceof Error)) throw cause
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    const hint = 'free some space, or put the store elsewhere with --root'
    return new TsbuildError(`${doing}: no space left on device`, { code: 'NO_SPACE', cause, hint })
  }
  const denied = errno === 'EACCES' || errno === 'EPERM'
  return new TsbuildError(`${doing}: ${cause.message}`, {
    code: denied ? 'PERMISSION_DENIED' : 'IO_FAILED',
    cause,
  })
}
