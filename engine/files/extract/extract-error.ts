import { writeError } from '#builder/layer'
import { errnoOf, type Name, TsbuildError, textOfName } from '#core'

/** The error for a failure to make `path` in a container. */
export function extractError(path: Name, cause: unknown): TsbuildError {
  if (errnoOf(cause) !== 'EROFS') return writeError(path, cause)
  const name = JSON.stringify(textOfName(path))
  return new TsbuildError(`write ${name}: it is on a file system that is read-only`, {
    code: 'PERMISSION_DENIED',
    cause,
  })
}
