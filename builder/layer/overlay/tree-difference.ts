import { type Change, type FileStat, joinName, type Name, type Tree } from '#core'
import { entryOf, type Links } from './changes.ts'
import { effectiveChanges, type FoundChange } from './effective-changes.ts'

/**
 * What makes one merged view of the other, in walk order; valid while both are open. What has several names
 * counts as a change unless it is the very file. Sockets are left out.
 */
export function treeDifference(tree: Tree, lower: Tree): Generator<Change, void, undefined> {
  return effectiveChanges(differencesIn(tree, lower), lower)
}

function* differencesIn(tree: Tree, lower: Tree): Generator<FoundChange> {
  const links: Links = new Map()
  const stack = [namesIn('' as Name, tree, lower)]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { value: path } = top.next()
    if (path === undefined) {
      stack.pop()
      continue
    }
    const stat = tree.lstat(path)
    if (stat === undefined) yield { change: { kind: 'whiteout', path }, isHidden: false }
    else if (stat.type === 'directory') {
      yield { change: { kind: 'entry', path, stat }, isHidden: false }
      stack.push(namesIn(path, tree, lower))
    } else if (stat.type !== 'socket' && !isSameFile(stat, lower.lstat(path))) {
      yield { change: entryOf(tree, path, { stat, links }), isHidden: false }
    }
  }
}

/** Paths of what either has in a directory of the first, by name. */
function namesIn(path: Name, tree: Tree, lower: Tree): IterableIterator<Name> {
  const isBelow = lower.lstat(path)?.type === 'directory'
  const names = new Set([...tree.readdir(path), ...(isBelow ? lower.readdir(path) : [])])
  return [...names]
    .sort()
    .map((name) => joinName(path, name))
    .values()
}

/** A base is the same files in both views: they need not be read to be compared. */
function isSameFile({ identity: one }: FileStat, below: FileStat | undefined): boolean {
  const other = below?.identity
  if (one === undefined || other === undefined) return false
  return one.dev === other.dev && one.ino === other.ino
}
