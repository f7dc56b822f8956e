import { type Json, type Name, nameOf } from '#core'
import { listOf, memberOf, textOf, textsOf } from '../differences/members.ts'
import type { ShownChanges } from './file-changes.ts'

const WILDCARD = /[*?[\]]/

/**
 * How paths in the layer of a copy are shown. Where one path was copied to a place of its own: as those that
 * they had in the context or the stage; otherwise as those in the image, which begin with a slash. The
 * destination and the folders above it are not shown, since they are not what was copied.
 * @param copy.document that of the step's key, which may have only the last name of the path
 * @param copy.path the path as a whole, where it is known
 * @param paths all paths of the layers
 */
export function shownPaths(
  copy: { readonly document: Json; readonly path: string | undefined },
  paths: Iterable<Name>,
): ShownChanges['shownPath'] {
  const [only, ...others] = listOf(memberOf(copy.document, 'actions'))
  const [name = '', ...more] = textsOf(memberOf(only, 'paths'))
  const path = copy.path ?? name
  const isOne = textOf(memberOf(only, 'kind')) === 'copy' && others.length + more.length === 0
  const isPlain = memberOf(only, 'parents') !== true && !WILDCARD.test(path)
  if (!isOne || !isPlain) return (shown) => `/${shown}`
  const destination = trimmed(textOf(memberOf(only, 'destination')))
  const source = trimmed(path).replace(/^(?:\.\/+)*(?:\.$)?/, '')
  const file = copiedInto(destination, source, paths)
  return (shown) => {
    if (shown === destination) return source === '' ? undefined : source
    if (destination.startsWith(`${shown}/`)) return undefined
    // A link in the root has led elsewhere.
    if (destination !== '' && !shown.startsWith(`${destination}/`)) return `/${shown}`
    if (shown === file) return source
    const inside = destination === '' ? shown : shown.slice(destination.length + 1)
    return source === '' ? inside : `${source}/${inside}`
  }
}

/** Where a file is that was copied into the destination; `undefined` for a folder's files. */
function copiedInto(
  destination: string,
  source: string,
  paths: Iterable<Name>,
): string | undefined {
  const prefix = destination === '' ? '' : nameOf(`${destination}/`)
  const inside = new Set([...paths].filter((path) => path.startsWith(prefix)))
  const name = source.slice(source.lastIndexOf('/') + 1)
  const file = destination === '' ? name : `${destination}/${name}`
  return inside.size === 1 && inside.has(nameOf(file)) ? file : undefined
}

/** Without slashes at both ends. */
function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '')
}
