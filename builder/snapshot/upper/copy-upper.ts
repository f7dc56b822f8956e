import { changesOf, layerOwners, RawTree, writeLayer } from '#builder/layer'
import type { Change, EntryChange, Name } from '#core'

/** A directory in overlay form, and the path of its copy. */
export interface UpperCopy {
  readonly from: string
  /** Must not exist. */
  readonly to: string
}

/**
 * Copies a directory in overlay form to another file system, with everything that a layer can have:
 * owners, modes, times, attributes, links, holes, deletions. What the file system or the rights of this
 * process do not allow is kept beside the copy.
 * @throws {TsbuildError} IO_FAILED naming the file, NO_SPACE, PERMISSION_DENIED, CANCELLED
 */
export function copyUpper({ from, to }: UpperCopy): void {
  const tree = new RawTree(from)
  try {
    writeLayer(allOf(tree, from), { directory: to }, { owners: layerOwners() })
  } finally {
    tree.close()
  }
}

/** The root comes first. */
function* allOf(tree: RawTree, directory: string): Generator<Change> {
  const root = '' as Name
  const stat = tree.lstat(root)
  if (stat === undefined) throw new Error('a directory that is not there')
  yield withXattrs(tree, { kind: 'entry', path: root, stat })
  for (const change of changesOf(directory)) {
    yield change.kind === 'entry' ? withXattrs(tree, change) : change
  }
}

function withXattrs(tree: RawTree, entry: EntryChange): EntryChange {
  return { ...entry, xattrs: tree.allXattrs(entry.path) }
}
