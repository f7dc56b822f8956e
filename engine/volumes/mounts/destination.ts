import { posix } from 'node:path'
import { mountError } from './mount-error.ts'

/** A path without `.`, `..`, repeated slashes and one at its end. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal
}

/** Why nothing can be mounted at a path; `undefined`: it can. */
export function destinationFault(path: string): string | undefined {
  if (cleanPath(path) === '/') return "invalid specification: destination can't be '/'"
  return absoluteFault(path)
}

export function absoluteFault(path: string): string | undefined {
  return path.startsWith('/')
    ? undefined
    : `invalid mount path: '${path}' mount path must be absolute`
}

/** @throws {TsbuildError} USAGE */
export function checkDestination(path: string): string {
  const fault = destinationFault(path)
  if (fault !== undefined) throw mountError(fault)
  return cleanPath(path)
}
