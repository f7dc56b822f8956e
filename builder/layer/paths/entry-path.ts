import { type Name, TsbuildError } from '#core'
import { quote } from './quote.ts'
import { componentsOf } from './resolve.ts'
import { AUFS_PREFIX, OPAQUE_MARK, WHITEOUT_PREFIX } from './whiteout.ts'

/** Four times what a system call takes at once: far deeper than any program goes. */
const MAX_PATH = 16 * 1024
/** An empty component, `.` or `..`. */
const UNTIDY = /(?:^|\/)\.{0,2}(?:\/|$)/

/**
 * The path itself. Work on a path grows with its length: a name of a megabyte is an attack.
 * @throws {TsbuildError} LAYER_INVALID for a path that is too long
 */
export function checkLength(path: Name): Name {
  if (path.length <= MAX_PATH) return path
  throw invalidEntryError(path.slice(0, 100) as Name, `its path is longer than ${MAX_PATH} bytes`)
}

/**
 * The path that a tar means by a name: relative to the root, without `.` and empty components, `..`
 * taken back by name. An absolute name is one below the root.
 * @throws {TsbuildError} LAYER_INVALID when it leads out of the root
 */
export function entryPath(name: Name): Name {
  if (!UNTIDY.test(name)) return checkLength(name)
  const path: Name[] = []
  for (const component of componentsOf(checkLength(name))) {
    if (component !== '..') path.push(component)
    else if (path.pop() === undefined)
      throw invalidEntryError(name, 'its name leads out of the root')
  }
  return path.join('/') as Name
}

/** What an entry of a layer means by its name. */
export type EntryMeaning =
  | { readonly kind: 'file' | 'skip' }
  /** `path` is deleted below. */
  | { readonly kind: 'whiteout'; readonly path: Name }
  /** Nothing below is seen in the directory `path`. */
  | { readonly kind: 'opaque'; readonly path: Name }

/**
 * What a path in a layer's tar means. Spec: image-spec v1.1 layer.md#whiteouts
 * @throws {TsbuildError} LAYER_INVALID for a mark that is malformed
 */
export function meaningOf(path: Name): EntryMeaning {
  if (!path.includes(WHITEOUT_PREFIX)) return { kind: 'file' }
  const slash = path.lastIndexOf('/')
  const parent = path.slice(0, Math.max(slash, 0)) as Name
  const base = path.slice(slash + 1)
  if (base === OPAQUE_MARK) return { kind: 'opaque', path: checkedParent(parent) }
  if (path.startsWith(AUFS_PREFIX) || base.startsWith(AUFS_PREFIX)) return { kind: 'skip' }
  checkedParent(parent)
  if (!base.startsWith(WHITEOUT_PREFIX)) return { kind: 'file' }
  const name = base.slice(WHITEOUT_PREFIX.length)
  if (name === '' || name === '.' || name === '..') {
    throw invalidEntryError(path, 'a whiteout of no file')
  }
  return { kind: 'whiteout', path: `${path.slice(0, slash + 1)}${name}` as Name }
}

/** A directory of such a name would turn into a whiteout when its layer is written again. */
function checkedParent(parent: Name): Name {
  if (!parent.split('/').some((name) => name.startsWith(WHITEOUT_PREFIX))) return parent
  throw invalidEntryError(
    parent,
    `directories must not have names that begin with ${WHITEOUT_PREFIX}`,
  )
}

/** The error for an entry that cannot be applied. */
export function invalidEntryError(path: Name, reason: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`apply ${quote(path)}: ${reason}`, {
    code: 'LAYER_INVALID',
    cause,
    hint: 'the layer or archive is damaged or hostile; nothing outside its directory was touched',
  })
}
