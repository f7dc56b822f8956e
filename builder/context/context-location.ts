import { type Stats, statSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import {
  type GitSource,
  gitSourceName,
  type HttpSource,
  httpSourceName,
  parseGitSource,
  parseHttpSource,
} from '#builder/fetch'
import { type Bytes, ioError, TsbuildError, withoutCredentials } from '#core'

/** Where the files of a build come from. Nothing of it has been read yet. */
export type ContextLocation =
  | FolderSource
  | { readonly kind: 'git'; readonly source: GitSource }
  /** An archive, or a Dockerfile alone; which of them is decided by its content. */
  | ({ readonly kind: 'http'; readonly source: HttpSource } & InArchive)
  /** The same, e.g. from standard input. */
  | ({ readonly kind: 'bytes'; readonly bytes: Bytes } & InArchive)

/** What of an archive is the context. */
export interface InArchive {
  /** A folder; absent: all of it. */
  readonly folder?: string
}

/** A folder of this machine. */
export interface FolderSource {
  readonly kind: 'folder'
  /** Absolute. */
  readonly path: string
}

/**
 * Why a path is not a folder; `undefined` when it is one.
 * @throws {TsbuildError} PERMISSION_DENIED, IO_FAILED
 */
export function folderProblem(path: string): string | undefined {
  const stat = statOf(path)
  if (stat?.isDirectory() === true) return undefined
  return stat === undefined ? 'not found' : 'is not a directory'
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw ioError(`look at ${path}`, cause)
  }
}

/** The only file of a context that is one downloaded file. */
const FILE_NAME = 'context'

/**
 * What `text` names: a folder that exists, a git repository, a URL, else a folder that does not.
 * @throws {TsbuildError} CONTEXT_INVALID for a malformed repository or URL, UNSUPPORTED for other
 * kinds of address
 */
export function parseContextLocation(text: string): ContextLocation {
  const folder: FolderSource = { kind: 'folder', path: resolve(text) }
  if (folderProblem(folder.path) === undefined) return folder
  try {
    const git = parseGitSource(text, { allowShort: true })
    if (git !== undefined) return { kind: 'git', source: git }
    const http = parseHttpSource(text)
    if (http !== undefined) return { kind: 'http', source: { ...http, name: FILE_NAME } }
  } catch (cause) {
    // The parsers blame a Dockerfile, where such addresses stand otherwise.
    if (!(cause instanceof TsbuildError)) throw cause
    const { message, hint } = cause
    throw new TsbuildError(message, { code: 'CONTEXT_INVALID', hint, cause })
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new TsbuildError(
      `a build context of this kind is not supported: ${withoutCredentials(text)}`,
      {
        code: 'UNSUPPORTED',
        hint: 'it may be a folder, a git repository, an http(s) URL, or - for standard input',
      },
    )
  }
  return folder
}

/** A location as text, without credentials; `-` for bytes. */
export function contextName(location: ContextLocation): string {
  switch (location.kind) {
    case 'folder':
      return location.path
    case 'git':
      return gitSourceName(location.source)
    case 'http':
      return `${httpSourceName(location.source)}${folderName(location)}`
    case 'bytes':
      return `-${folderName(location)}`
  }
}

function folderName({ folder }: InArchive): string {
  return folder === undefined ? '' : `#:${folder}`
}

/** The location of a folder in a context. */
export function folderOfContext(location: ContextLocation, folder: string): ContextLocation {
  switch (location.kind) {
    case 'folder':
      return { ...location, path: join(location.path, folder) }
    case 'git': {
      const { source } = location
      const subdir = posix.join('/', source.subdir ?? '', folder).replace(/^\/|\/$/g, '')
      return subdir === '' ? location : { ...location, source: { ...source, subdir } }
    }
    case 'http':
    case 'bytes':
      return { ...location, folder }
  }
}
