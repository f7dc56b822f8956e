import { getSystemErrorMessage } from 'node:util'
import { errnoOf, type Name, TsbuildError, textOfName } from '#core'

/** A path of the tree that does not lead to a directory any more. */
export function missingError(doing: string, path: Name): TsbuildError {
  return new TsbuildError(`${doing} ${quote(path)}: no such directory`, { code: 'NOT_FOUND' })
}

/** A path of a tree as messages show it. */
export function quote(path: Name): string {
  return JSON.stringify(textOfName(path))
}

/** A failed system call; names the file as the user knows it, not by the descriptor that leads to it. */
export function accessError(doing: string, path: string, cause: unknown): TsbuildError {
  if (cause instanceof TsbuildError) return cause
  const errno = errnoOf(cause)
  const isDenied = errno === 'EACCES' || errno === 'EPERM'
  const hint = isDenied ? 'make it readable, or leave it out with .dockerignore' : undefined
  return new TsbuildError(`${doing} ${JSON.stringify(path)}: ${reasonOf(cause)}`, {
    code: isDenied ? 'PERMISSION_DENIED' : 'IO_FAILED',
    cause,
    hint,
  })
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Error && 'errno' in cause && typeof cause.errno === 'number') {
    return getSystemErrorMessage(cause.errno)
  }
  return cause instanceof Error ? cause.message : String(cause)
}
