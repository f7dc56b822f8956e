import { type Change, type EntryChange, type FileStat, joinName, type Name, type Tree } from '#core'
import { isWhiteoutDevice } from '../paths/whiteout.ts'
import { effectiveChanges, type FoundChange } from './effective-changes.ts'
import { RawTree } from './raw-tree.ts'

/** How changes are found. */
export interface ChangesOptions {
  /**
   * The merged view of the layers below. With it, opaque marks become explicit whiteouts, and what
   * was copied up but not changed is left out.
   */
  readonly lower?: Tree
}

/**
 * The changes that an overlay upper directory makes, in walk order. Sockets are left out; of extended
 * attributes only `security.capability` is kept. A change is valid until the next one is taken.
 * Spec: image-spec v1.1 layer.md#representing-changes
 */
export function* changesOf(
  directory: string,
  options: ChangesOptions = {},
): Generator<Change, void, undefined> {
  const tree = new RawTree(directory)
  try {
    const found = new UpperWalk(tree, options.lower).changes()
    if (options.lower !== undefined) yield* effectiveChanges(found, options.lower)
    else for (const { change } of found) yield change
  } finally {
    tree.close()
  }
}

/** A whole tree as changes, in walk order, without its root; valid while the tree is open. */
export function* treeChanges(tree: Tree): Generator<Change, void, undefined> {
  const links: Links = new Map()
  const stack = [{ path: '' as Name, names: tree.readdir('' as Name).values() }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.names.next()
    if (next.done) {
      stack.pop()
      continue
    }
    const path = joinName(top.path, next.value)
    const stat = tree.lstat(path)
    if (stat === undefined || stat.type === 'socket') continue
    yield entryOf(tree, path, { stat, links })
    if (stat.type === 'directory') stack.push({ path, names: tree.readdir(path).values() })
  }
}

/** The first path of every file with several names, by inode. */
export type Links = Map<string, Name>

interface FoundFile {
  readonly stat: FileStat
  readonly links: Links
}

/** The entry of what is at a path, which is no socket. */
export function entryOf(tree: Tree, path: Name, { stat, links }: FoundFile): EntryChange {
  if (stat.type === 'directory') return { kind: 'entry', path, stat }
  if (stat.nlink > 1) {
    const hardlink = links.get(stat.inode)
    if (hardlink !== undefined) return { kind: 'entry', path, stat, hardlink }
    links.set(stat.inode, path)
  }
  if (stat.type === 'symlink') return { kind: 'entry', path, stat, target: tree.readlink(path) }
  if (stat.type !== 'file') return { kind: 'entry', path, stat }
  const xattrs = tree.xattrs(path)
  const open = () => tree.openFile(path)
  return xattrs.size === 0
    ? { kind: 'entry', path, stat, open }
    : { kind: 'entry', path, stat, open, xattrs }
}

/** A directory that is being walked. */
interface Frame {
  readonly path: Name
  readonly names: IterableIterator<Name>
  /** The layers below are hidden in it. */
  readonly hidden: boolean
}

/**
 * Walks through an upper directory, in parallel with the tree below. Without one, deletions and opaque marks
 * all count.
 */
class UpperWalk {
  readonly #upper: RawTree
  readonly #lower: Tree | undefined
  readonly #links: Links = new Map()

  constructor(upper: RawTree, lower: Tree | undefined) {
    this.#upper = upper
    this.#lower = lower
  }

  *changes(): Generator<FoundChange, void, undefined> {
    const stack = [this.#frame('' as Name, false)]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.names.next()
      if (next.done) {
        stack.pop()
        continue
      }
      const path = joinName(top.path, next.value)
      const isHidden = top.hidden
      const stat = this.#upper.lstat(path)
      if (stat === undefined || isWhiteoutDevice(stat)) {
        yield { change: { kind: 'whiteout', path }, isHidden }
      } else if (stat.type !== 'socket') {
        yield { change: entryOf(this.#upper, path, { stat, links: this.#links }), isHidden }
        if (stat.type !== 'directory') continue
        const opaque = this.#upper.isOpaque(path)
        if (opaque && this.#lower === undefined) {
          yield { change: { kind: 'opaque', path }, isHidden }
        }
        stack.push(this.#frame(path, isHidden || opaque))
      }
    }
  }

  /** In a hidden directory, names that only the layers below have become whiteouts. */
  #frame(path: Name, hidden: boolean): Frame {
    const names = this.#upper.readdir(path)
    if (!hidden || this.#lower?.lstat(path)?.type !== 'directory') {
      return { path, hidden, names: names.values() }
    }
    const all = new Set([...names, ...this.#lower.readdir(path)])
    return { path, hidden, names: [...all].sort().values() }
  }
}
