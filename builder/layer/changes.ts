import type { Change, Tree } from '#core'

export interface ChangesOptions {
  /**
   * The merged view of the layers below. With it, opaque marks become explicit whiteouts of what
   * was there, and directories that were only touched are left out.
   */
  readonly lower?: Tree
}

/** What an overlay upper directory changes, in walk order. */
export function changesOf(directory: string, options: ChangesOptions = {}): Iterable<Change> {
  throw new Error(`not yet: ${directory} ${options}`)
}

/** A whole tree as changes, in walk order, without its root. */
export function treeChanges(tree: Tree): Iterable<Change> {
  throw new Error(`not yet: ${tree}`)
}
