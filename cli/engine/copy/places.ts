import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import { TsbuildError } from '#core'

/** One side of a copy. */
export type Place =
  | { readonly kind: 'stream' }
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'container'; readonly container: string; readonly path: string }

/** `CONTAINER:PATH`, a path of this machine, or `-`. A local path with a colon begins with `/` or a dot. */
export function parsePlace(text: string): Place {
  if (text === '-') return { kind: 'stream' }
  const [, container = '', path = ''] = /^([^:]*):(.*)$/s.exec(text) ?? []
  if (container === '' || isAbsolute(text) || text.startsWith('.'))
    return { kind: 'local', path: text }
  return { kind: 'container', container, path: path === '' ? '/' : path }
}

/** What stands at a path, at the one or the other side. */
export interface PlaceInfo {
  /** As it was written: its end says whether it has to be a folder. */
  readonly path: string
  readonly isThere: boolean
  readonly isFolder: boolean
}

/** Where an archive is unpacked, and what the name of its first entry becomes there. */
export interface Route {
  readonly folder: string
  readonly name: string
}

/** Whether a path can only be a folder. */
export function isFolderPath(path: string): boolean {
  return path.endsWith('/') || /(?:^|\/)\.$/.test(path)
}

/** Whether only what is in a folder is meant, not the folder itself. */
function isContent(path: string): boolean {
  return /(?:^|\/)\.$/.test(path)
}

/**
 * Where a copy goes. Spec: docker cp, the rules of `cp -a`
 * @throws {TsbuildError} USAGE, NOT_FOUND
 */
export function routeOf(source: PlaceInfo, target: PlaceInfo): Route {
  const path = normalize(target.path).replace(/(?<=.)\/$/, '')
  if (target.isThere && target.isFolder) {
    return { folder: path, name: isContent(source.path) ? '.' : basename(normalize(source.path)) }
  }
  if (target.isThere && isFolderPath(target.path)) throw copyError('not a directory')
  if (target.isThere && source.isFolder) throw copyError('cannot copy directory')
  if (!target.isThere && !source.isFolder && isFolderPath(target.path)) {
    throw copyError('no such directory')
  }
  return { folder: dirname(path), name: basename(path) }
}

/** The error for what cannot be copied as it was asked for. */
export function copyError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE' })
}

/** What a link in a container leads to. */
export function linkedPath(path: string, target: string): string {
  return isAbsolute(target) ? target : join(dirname(path), target)
}
