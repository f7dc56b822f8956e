import { Buffer } from 'node:buffer'
import { ScannedEntries } from '#builder/linux'
import { baseOf, joinName, type Name, parentOf, type Tree } from '#core'
import type { TreeState } from './tree-state.ts'

/** What is otherwise in a tree than it was at an earlier time. */
export interface TreeChanges {
  /** What is new, or of which something was changed; folders are among them. */
  readonly changed: ReadonlySet<Name>
  /** Whether there is still something at a path of which nothing was changed. */
  readonly isLeft: (path: Name) => boolean
}

/** What is kept of a state, to be compared with a later one. */
export interface KeptState {
  readonly folders: TreeState['folders']
  readonly recent: readonly Name[]
}

/**
 * Compares two states of a folder of a tree, and all that is in it.
 * @param top the folder
 */
export function changesBetween(
  before: KeptState,
  after: Pick<TreeState, 'folders'>,
  top: Name,
): TreeChanges {
  const exists = existingIn(after.folders)
  const changed = new Set(before.recent.filter(exists))
  for (const [folder, entries] of after.folders) {
    const earlier = before.folders.get(folder)
    if (earlier !== undefined && Buffer.compare(earlier, entries) === 0) continue
    const now = new ScannedEntries(entries)
    const then = earlier && new ScannedEntries(earlier)
    for (const name of now.names()) {
      if (then === undefined || !now.isIn(then, name)) changed.add(joinName(folder, name))
    }
  }
  // In other folders than these nothing is missing.
  const folders = new Set([top, ...changed])
  const isLeft = (path: Name): boolean => {
    const folder = parentOf(path)
    return folders.has(folder) ? exists(path) : after.folders.has(folder)
  }
  return { changed, isLeft }
}

function existingIn(folders: TreeState['folders']): (path: Name) => boolean {
  const known = new Map<Name, ReadonlySet<Name>>()
  return (path) => {
    const folder = parentOf(path)
    const names = known.get(folder) ?? new Set(namesIn(folders.get(folder)))
    known.set(folder, names)
    return names.has(baseOf(path))
  }
}

function namesIn(entries: Uint8Array | undefined): readonly Name[] {
  return entries === undefined ? [] : new ScannedEntries(entries).names()
}

/** A tree of which only what was changed is listed, with the folders on the way. */
export function changedTree(tree: Tree, { changed }: TreeChanges): Tree {
  const names = new Map<Name, Set<Name>>()
  for (const path of changed) addWay(names, path)
  return {
    readdir: (path) => [...(names.get(path) ?? [])].sort(),
    lstat: (path) => tree.lstat(path),
    readlink: (path) => tree.readlink(path),
    openFile: (path) => tree.openFile(path),
    xattrs: (path) => tree.xattrs(path),
    close: () => tree.close(),
  }
}

/** Adds each part of a path to the folder that it is in. */
function addWay(names: Map<Name, Set<Name>>, path: Name): void {
  for (let at = path; at !== ''; ) {
    const folder = parentOf(at)
    const name = baseOf(at)
    const known = names.get(folder)
    if (known?.has(name)) return
    if (known === undefined) names.set(folder, new Set([name]))
    else known.add(name)
    at = folder
  }
}
