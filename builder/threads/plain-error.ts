import { type ErrorCode, firstFailure, TsbuildError } from '#core'

/** How many causes of a cause are kept. */
const MAX_DEPTH = 10

/**
 * An error as data: posting an error keeps neither its class nor its properties. A `TsbuildError` has
 * `code` and `hint`, a failed system call has `system`, any other error is a bug.
 */
export interface PlainError {
  readonly message: string
  readonly stack: string | undefined
  readonly code?: ErrorCode
  readonly hint?: string | undefined
  readonly system?: SystemFailure
  readonly cause?: PlainError
}

/** What Node says about a failed system call. */
interface SystemFailure {
  readonly code: string
  readonly errno?: number
  readonly syscall?: string
  readonly path?: string
}

/** A failure as data, with its causes. */
export function toPlainError(failure: unknown): PlainError {
  return describe(firstFailure(failure), MAX_DEPTH)
}

function describe(error: unknown, depth: number): PlainError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined }
  const { message, stack } = error
  const cause =
    error.cause instanceof Error && depth > 0 ? { cause: describe(error.cause, depth - 1) } : {}
  if (error instanceof TsbuildError) {
    return { message, stack, code: error.code, hint: error.hint, ...cause }
  }
  const system = systemFailureOf(error)
  return { message, stack, ...(system === undefined ? {} : { system }), ...cause }
}

function systemFailureOf(error: Error): SystemFailure | undefined {
  const { code, errno, syscall, path } = error as NodeJS.ErrnoException
  if (typeof code !== 'string') return undefined
  return {
    code,
    ...(typeof errno === 'number' ? { errno } : {}),
    ...(typeof syscall === 'string' ? { syscall } : {}),
    ...(typeof path === 'string' ? { path } : {}),
  }
}

/** The error again, with the stack of the thread in which it happened. */
export function fromPlainError(plain: PlainError): Error {
  const { message, stack, code, hint, system } = plain
  const cause = plain.cause === undefined ? undefined : fromPlainError(plain.cause)
  const error =
    code === undefined
      ? Object.assign(new Error(message, cause === undefined ? undefined : { cause }), system)
      : new TsbuildError(message, { code, hint, cause })
  if (stack !== undefined) error.stack = stack
  return error
}
