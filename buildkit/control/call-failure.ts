import { CallFailure } from '#buildkit/grpc'
import { solveError } from '#buildkit/status'

/** What a client gets of what was thrown. @param vertex that has failed */
export function callFailure(cause: unknown, vertex?: string): CallFailure {
  if (cause instanceof CallFailure) return cause
  const place = vertex === undefined ? {} : { vertex }
  const { code, message, details } = solveError(cause, place)
  return new CallFailure(code, message, details)
}
