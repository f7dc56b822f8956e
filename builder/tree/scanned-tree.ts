import { fileStatOf, ScannedEntries } from '#builder/linux'
import type { FileStat, Name, Tree } from '#core'

/** Folders whose entries are at hand: those on the way down in a walk, and a few more. */
const MOST_OPEN = 64

/**
 * A build context of which folders were scanned: what was found in them then is not asked for again. All else is
 * answered by `tree`, and it is closed with that.
 * @param folders what `treeState` gives
 */
export function scannedTree(tree: Tree, folders: ReadonlyMap<Name, Uint8Array>): Tree {
  const scanned = new ScannedFolders(folders)
  return {
    readdir: (path) => scanned.entries(path)?.names().sort() ?? tree.readdir(path),
    lstat: (path) => scanned.lstat(path) ?? tree.lstat(path),
    readlink: (path) => tree.readlink(path),
    openFile: (path) => tree.openFile(path),
    xattrs: (path) => tree.xattrs(path),
    close: () => tree.close(),
  }
}

class ScannedFolders {
  readonly #folders: ReadonlyMap<Name, Uint8Array>
  /** The least recently used first. */
  readonly #open = new Map<Name, ScannedEntries>()
  #last: { readonly path: Name; readonly entries: ScannedEntries } | undefined

  constructor(folders: ReadonlyMap<Name, Uint8Array>) {
    this.#folders = folders
  }

  entries(path: Name): ScannedEntries | undefined {
    if (this.#last?.path === path) return this.#last.entries
    const known = this.#open.get(path)
    const bytes = known === undefined ? this.#folders.get(path) : undefined
    const entries = known ?? (bytes && new ScannedEntries(bytes))
    if (entries === undefined) return undefined
    this.#open.delete(path)
    this.#open.set(path, entries)
    const [oldest] = this.#open.keys()
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#open.delete(oldest)
    this.#last = { path, entries }
    return entries
  }

  /** `undefined` for what was not scanned, or has a number that is too large for its facts. */
  lstat(path: Name): FileStat | undefined {
    const slash = path.lastIndexOf('/')
    const folder = path.slice(0, Math.max(slash, 0)) as Name
    const facts =
      path === '' ? undefined : this.entries(folder)?.factsOf(path.slice(slash + 1) as Name)
    if (facts === undefined || !Number.isSafeInteger(facts.ino)) return undefined
    return fileStatOf(facts, { owner: 'root', place: path })
  }
}
