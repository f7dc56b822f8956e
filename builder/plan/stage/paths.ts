import { posix } from 'node:path'
import { TsbuildError } from '#core'

/** An absolute path without `.`, `..`, doubled or trailing slashes; `..` stops at the root. */
function cleanPath(path: string): string {
  const cleaned = posix.normalize(`/${path}`)
  return cleaned.length > 1 && cleaned.endsWith('/') ? cleaned.slice(0, -1) : cleaned
}

/** `path` as seen from the working directory. */
export function resolvePath(cwd: string, path: string): string {
  return cleanPath(path.startsWith('/') ? path : `${cwd}/${path}`)
}

/** A COPY destination: resolved, and with the trailing slash that makes it a directory. */
export function resolveDestination(cwd: string, destination: string): string {
  const resolved = resolvePath(cwd, destination)
  const isDirectory = destination === '' || /(^|\/)\.?$/.test(destination)
  return isDirectory && resolved !== '/' ? `${resolved}/` : resolved
}

/**
 * What WORKDIR makes of the working directory. An absolute path stays as it is written, but for
 * Windows.
 */
export function changeDirectory(cwd: string, path: string, os: string): string {
  const written = slashed(path, os)
  return written.startsWith('/') && os !== 'windows' ? written : resolvePath(cwd, written)
}

/**
 * A path with slashes and without drive letter, where the system of the stage has others.
 * @throws {TsbuildError} DOCKERFILE_INVALID for what is not on the drive C:
 */
export function slashed(path: string, os: string): string {
  if (os !== 'windows') return path
  const [, drive, rest = path] = /^([^:]*):(.*)$/s.exec(path) ?? []
  if (/^[\\/]{2}/.test(path)) throw driveError('UNC paths are not supported')
  if (drive !== undefined && rest === '' && drive.length === 1) {
    throw driveError(`No relative path specified in ${JSON.stringify(path)}`)
  }
  if (drive !== undefined && drive.toLowerCase() !== 'c') {
    throw driveError('The specified path is not on the system drive (C:)')
  }
  return rest.replaceAll('\\', '/')
}

function driveError(message: string): TsbuildError {
  const hint = 'write a path on the drive C:, or one without a drive'
  return new TsbuildError(message, { code: 'DOCKERFILE_INVALID', hint })
}

/** A path with the separators that the config of an image for that system has. */
export function withSeparators(path: string, os: string): string {
  return os === 'windows' ? path.replaceAll('/', '\\') : path
}
