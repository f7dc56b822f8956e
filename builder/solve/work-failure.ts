import { type ErrorCode, errnoOf, firstFailure, ioError, TsbuildError } from '#core'

/** A failure as data: what is left of an error when it crosses threads. */
export interface WorkFailure {
  readonly message: string
  readonly code: ErrorCode | undefined
  readonly hint: string | undefined
  readonly stack: string | undefined
}

export function describeFailure(failure: unknown): WorkFailure {
  const cause = firstFailure(failure)
  const error = errnoOf(cause) === undefined ? cause : ioError('work on files', cause)
  if (error instanceof TsbuildError) {
    const { message, code, hint, stack } = error
    return { message, code, hint, stack }
  }
  if (!(error instanceof Error)) {
    return { message: String(error), code: undefined, hint: undefined, stack: undefined }
  }
  return { message: error.message, code: undefined, hint: undefined, stack: error.stack }
}

/** The error again; a bug stays a plain `Error` with the stack of the thread it happened in. */
export function reviveFailure(failure: WorkFailure): Error {
  const { message, code, hint, stack } = failure
  const error = code === undefined ? new Error(message) : new TsbuildError(message, { code, hint })
  if (stack !== undefined) error.stack = stack
  return error
}
