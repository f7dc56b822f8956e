import type { StackTree } from '#builder/layer'
import { type FileStat, joinName, type Name, type Tree } from '#core'

/** The part of a tree that is below a directory, with all attributes that a container sees. */
export class PartOfTree implements Tree {
  readonly #tree: StackTree
  readonly #base: Name

  /** Does not close the tree. */
  constructor(tree: StackTree, base: Name) {
    this.#tree = tree
    this.#base = base
  }

  lstat(path: Name): FileStat | undefined {
    return this.#tree.lstat(this.#whole(path))
  }

  readdir(path: Name): readonly Name[] {
    return this.#tree.readdir(this.#whole(path))
  }

  readlink(path: Name): Name {
    return this.#tree.readlink(this.#whole(path))
  }

  openFile(path: Name): number {
    return this.#tree.openFile(this.#whole(path))
  }

  xattrs(path: Name): ReadonlyMap<string, Buffer> {
    return this.#tree.allXattrs(this.#whole(path))
  }

  close(): void {
    // The caller has opened it.
  }

  #whole(path: Name): Name {
    if (path === '') return this.#base
    return this.#base === '' ? path : joinName(this.#base, path)
  }
}
