import { errnoOf, ioError, type Name, TsbuildError } from '#core'
import { quote } from '../paths/quote.ts'

/** The error for a failure to make `path`, with a hint where the cause is known. */
export function writeError(path: Name, cause: unknown): TsbuildError {
  if (errnoOf(cause) === 'EINVAL' && cause instanceof Error && /chown/.test(cause.message)) {
    return new TsbuildError(`write ${quote(path)}: its owner is not in the range of user ids`, {
      code: 'PERMISSION_DENIED',
      cause,
      hint: 'give this user more ids in /etc/subuid and /etc/subgid',
    })
  }
  return ioError(`write ${quote(path)}`, cause)
}
