import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { errnoOf, ioError, TsbuildError } from '#core'

const DELETE = 'buildx.local.delete'

/** @throws {TsbuildError} USAGE for what is not a folder, and cannot become one */
export function checkFolder(dest: unknown): void {
  if (typeof dest !== 'string') {
    throw unusableOutputError(
      'a folder cannot be written to a stream',
      'name a folder with dest=PATH',
    )
  }
  if (isFolder(dest) !== false) return
  throw unusableOutputError(
    `cannot write to ${dest}: it is not a folder`,
    'name another one with dest=PATH',
  )
}

/**
 * Checks an output that deletes what the image does not have.
 * @throws {TsbuildError} USAGE, PERMISSION_DENIED for a folder outside the working directory
 */
export function checkDelete(
  { type, dest }: { readonly type: string; readonly dest: unknown },
  allow: readonly string[],
): void {
  if (type !== 'local' || typeof dest !== 'string') {
    throw unusableOutputError(
      'only an output of type=local can delete files',
      'leave mode=delete out',
    )
  }
  if (allow.includes(DELETE) || isBelow(process.cwd(), dest)) return
  throw new TsbuildError(
    `local output mode=delete for destination ${JSON.stringify(dest)} requires --allow=${DELETE}`,
    {
      code: 'PERMISSION_DENIED',
      hint: 'only a folder below the working directory is emptied without this right',
    },
  )
}

/** By what the folders are, and not by how they are written. */
function isBelow(folder: string, path: string): boolean {
  const pathInside = relative(realpathSync(folder), realPath(resolve(path)))
  return pathInside !== '' && pathInside !== '..' && !pathInside.startsWith('../')
}

/** The end of the path may not be there yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw ioError(`write to ${path}`, cause)
    return join(realPath(dirname(path)), basename(path))
  }
}

/** @throws {TsbuildError} USAGE for a path that cannot be a file; a stream passes */
export function checkFile(dest: unknown): void {
  if (typeof dest !== 'string') return
  if (isFolder(dest) === true) {
    throw unusableOutputError(
      `cannot write ${dest}: it is a folder`,
      'name a file in it with dest=PATH',
    )
  }
  const parent = dirname(dest)
  if (isFolder(parent) === true) return
  throw unusableOutputError(
    `cannot write ${dest}: there is no folder ${parent}`,
    'make the folder first',
  )
}

/** `undefined` when there is nothing. */
function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory()
  } catch (cause) {
    throw ioError(`write to ${path}`, cause)
  }
}

function unusableOutputError(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE', hint })
}

/** The path of a destination that `checkFolder` has seen. */
export function pathOf(dest: string | Writable): string {
  if (typeof dest === 'string') return dest
  throw new Error('outputs are checked before the build')
}
