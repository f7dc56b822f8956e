import { chmodSync, readdirSync } from 'node:fs'
import { type Found, fileXattrs, type StackTree } from '#builder/layer'
import { BARE_DIRECTORY, type RootedDirectory, removeXattr } from '#builder/linux'
import { checkpoint, type EntryChange, type FileStat, joinName, type Name } from '#core'
import { type Kept, keptNames, keptWhole } from './kept-paths.ts'

const OWNER_MAY = 0o700

/** A path of a root, and what is kept of it; `undefined`: nothing. */
export interface KeptPath {
  readonly path: Name
  readonly kept: Kept | undefined
}

/** Removes what is at a path, except for what is kept and the directories that lead to it. */
export function removeOthersAt(root: RootedDirectory, at: KeptPath): void {
  const left = [at]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { path, kept } = next
    if (kept === keptWhole) continue
    if (kept === undefined || root.lstat(path)?.isDirectory() !== true) {
      if (root.lstat(path) !== undefined) root.remove(path)
      continue
    }
    clearFolder(root, path)
    for (const name of namesIn(root, path)) {
      left.push({ path: joinName(path, name), kept: kept.get(name) })
    }
  }
}

/**
 * Readies a directory that stays for what is made in it: without attributes, some of which would be handed
 * down, and with the right to write to it. Its own attributes are set when it is complete.
 */
export function clearFolder(root: RootedDirectory, path: Name): void {
  const place = root.place(path)
  for (const name of fileXattrs(place).keys()) removeXattr(place, name)
  const mode = root.lstat(path)?.mode ?? OWNER_MAY
  if ((mode & OWNER_MAY) !== OWNER_MAY) chmodSync(root.inside(path), OWNER_MAY)
}

/** What a directory has, in no order. */
export function namesIn(root: RootedDirectory, path: Name): readonly Name[] {
  checkpoint()
  return readdirSync(root.inside(path), 'latin1') as Name[]
}

/** What is shown of a stack, as entries to write. */
export class Placement {
  readonly #tree: StackTree
  readonly #root: RootedDirectory

  constructor(tree: StackTree, root: RootedDirectory) {
    this.#tree = tree
    this.#root = root
  }

  /** What the layers have at a path, with everything below. */
  *entriesAt(at: KeptPath): Generator<EntryChange> {
    const left = [at]
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { path, kept } = next
      const found = this.#tree.find(path)
      if (kept !== undefined && !this.#isShown(next, found?.stat)) {
        if (kept === keptWhole || !this.#isDirectory(path)) continue
        yield { kind: 'entry', path, stat: BARE_DIRECTORY }
        left.push(...this.#childrenOf(next, []))
      } else if (found !== undefined && found.stat.type !== 'socket') {
        yield entryOf(path, found)
        if (found.stat.type !== 'directory') continue
        left.push(...this.#childrenOf(next, this.#tree.readdir(path)))
      }
    }
  }

  /** A directory of the layers alone. */
  folderAt(path: Name): EntryChange {
    const found = this.#tree.find(path)
    return found === undefined
      ? { kind: 'entry', path, stat: BARE_DIRECTORY }
      : entryOf(path, found)
  }

  /** Paths of the layers that are hidden by what is kept, or by the directories that lead to it. */
  hiddenBy(kept: Kept): readonly Name[] {
    const hidden: Name[] = []
    const left: KeptPath[] = [{ path: '' as Name, kept }]
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const stat = this.#tree.lstat(next.path)
      if (stat === undefined) continue
      if (next.kept !== keptWhole && this.#isShown(next, stat)) {
        left.push(...this.#childrenOf(next, []))
      } else hidden.push(next.path)
    }
    return hidden
  }

  /** Whether a path that leads to what is kept is what the layers have there. Kept paths need not exist. */
  #isShown({ path, kept }: KeptPath, stat: FileStat | undefined): boolean {
    if (kept === keptWhole) return false
    return stat !== undefined && (stat.type === 'directory' || !this.#isDirectory(path))
  }

  #isDirectory(path: Name): boolean {
    return this.#root.lstat(path)?.isDirectory() === true
  }

  /** Backwards, since the last one is taken first. */
  #childrenOf({ path, kept }: KeptPath, names: readonly Name[]): KeptPath[] {
    const led = [...keptNames(kept).keys()].filter((name) => !names.includes(name))
    return [...names, ...led].reverse().map((name) => {
      return { path: joinName(path, name), kept: kept?.get(name) }
    })
  }
}

/** Every name is a file for itself: overlayfs, too, parts names before a change. */
function entryOf(path: Name, { layer, stat }: Found): EntryChange {
  const change = { kind: 'entry', path, stat, xattrs: layer.allXattrs(path) } as const
  if (stat.type === 'file') return { ...change, open: () => layer.openFile(path) }
  return stat.type === 'symlink' ? { ...change, target: layer.readlink(path) } : change
}
