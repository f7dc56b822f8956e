import { posix } from 'node:path'
import { resolveInTree } from '#builder/layer'
import {
  type FileStat,
  type Name,
  nameOf,
  parentOf,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'

/** A path as a client names it. */
export interface ContainerPath {
  /** Absolute, without `..`; a slash or `/.` at its end stays. */
  readonly text: string
  /** The last name: `.` of `/x/.`, and `/` of the root. */
  readonly base: string
  /** The same path without what stands at the end, relative to the root. */
  readonly path: Name
  /** Only a directory can be meant, also behind a link. */
  readonly isDirectory: boolean
}

/** What is looked for. */
export interface PathTask {
  /** Descriptor of the root of a container. */
  readonly root: number
  readonly path: string
  /** The name or id of the container, for errors. */
  readonly container: string
}

/** Reads a path of a container: `..` is taken back by name, before any link is followed. @throws {TsbuildError} USAGE */
export function parseContainerPath(path: string): ContainerPath {
  if (path === '') throw new TsbuildError('bad parameter: path cannot be empty', { code: 'USAGE' })
  if (path.includes('\0')) throw new TsbuildError('bad parameter: invalid path', { code: 'USAGE' })
  const cleaned = posix.join('/', path).replace(/(?!^)\/$/, '')
  const isCurrent = /(?:^|\/)\.\/*$/.test(path)
  const end = isCurrent ? '.' : ''
  const slash = cleaned !== '/' && (isCurrent || path.endsWith('/')) ? '/' : ''
  return {
    text: `${cleaned}${slash}${end}`,
    base: isCurrent ? '.' : posix.basename(cleaned) || '/',
    path: nameOf(cleaned.slice(1)),
    isDirectory: slash !== '' || isCurrent,
  }
}

/** Which link at the end of a path is followed. */
type Follow = 'all' | 'where a directory is meant'

/** What is at a path. */
export interface FoundPath {
  /** The real one. */
  readonly path: Name
  readonly stat: FileStat
}

/**
 * Finds what a path means in a root; links never lead out of it.
 * @throws {TsbuildError} NOT_FOUND, IO_FAILED where something on the way is not a directory, or links lead in a circle
 */
export function findInRoot(
  tree: Tree,
  { path, container }: Omit<PathTask, 'root'>,
  follow: Follow,
): FoundPath {
  const asked = parseContainerPath(path)
  const followLast = follow === 'all' || asked.isDirectory
  const real = resolve(tree, asked, followLast)
  const found = tree.lstat(real)
  if (found === undefined) {
    if (hasFileAbove(tree, real)) throw notDirectoryError(asked)
    throw missingPathError({ path, container })
  }
  if (asked.isDirectory && found.type !== 'directory' && follow !== 'all') {
    throw notDirectoryError(asked)
  }
  return { path: real, stat: found }
}

/** The error for a path at which nothing is. */
export function missingPathError({ path, container }: Omit<PathTask, 'root'>): TsbuildError {
  return new TsbuildError(`Could not find the file ${path} in container ${container}`, {
    code: 'NOT_FOUND',
  })
}

/** What a link leads to, as far as it is there. @throws {TsbuildError} IO_FAILED for a circle */
export function linkTarget(tree: Tree, link: Name): string {
  const asked = { text: `/${textOfName(link)}`, path: link }
  return `/${textOfName(resolve(tree, asked, true))}`
}

function resolve(
  tree: Tree,
  { path, text }: Pick<ContainerPath, 'path' | 'text'>,
  followLast: boolean,
): Name {
  try {
    return resolveInTree(tree, path, { followLast })
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'NOT_FOUND') throw cause
    throw new TsbuildError(`lstat ${text}: too many levels of symbolic links`, {
      code: 'IO_FAILED',
      cause,
    })
  }
}

function hasFileAbove(tree: Tree, path: Name): boolean {
  for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
    const found = tree.lstat(above)
    if (found !== undefined) return found.type !== 'directory'
  }
  return false
}

function notDirectoryError({ text }: ContainerPath): TsbuildError {
  return new TsbuildError(`lstat ${text}: not a directory`, { code: 'IO_FAILED' })
}
