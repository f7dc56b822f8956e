import { type Change, type EntryChange, type FileStat, joinName, type Name, type Tree } from '#core'
import { isWhiteoutDevice } from '../paths/whiteout.ts'
import { RawTree } from './raw-tree.ts'
import { hasEqualRights, isUnchanged, PendingDirectories } from './unchanged.ts'

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
    yield* new UpperWalk(tree, options.lower).changes()
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
type Links = Map<string, Name>

interface FoundFile {
  readonly stat: FileStat
  readonly links: Links
}

function entryOf(tree: Tree, path: Name, { stat, links }: FoundFile): EntryChange {
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

/** Walks through an upper directory, in parallel with the tree below. */
class UpperWalk {
  readonly #upper: RawTree
  readonly #lower: Tree | undefined
  readonly #links: Links = new Map()
  readonly #pending = new PendingDirectories()

  constructor(upper: RawTree, lower: Tree | undefined) {
    this.#upper = upper
    this.#lower = lower
  }

  *changes(): Generator<Change, void, undefined> {
    const stack = [this.#frame('' as Name, false)]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.names.next()
      if (next.done) {
        stack.pop()
        continue
      }
      const path = joinName(top.path, next.value)
      const stat = this.#upper.lstat(path)
      if (stat === undefined || isWhiteoutDevice(stat)) {
        if (stat === undefined || this.#isBelow(path))
          yield* this.#pending.before({ kind: 'whiteout', path })
      } else if (stat.type === 'directory') {
        const opaque = this.#upper.isOpaque(path)
        yield* this.#enter(path, stat, opaque)
        stack.push(this.#frame(path, top.hidden || opaque))
      } else if (stat.type !== 'socket') {
        const entry = entryOf(this.#upper, path, { stat, links: this.#links })
        if (top.hidden || !this.#isUnchanged(entry)) yield* this.#pending.before(entry)
      }
    }
  }

  *#enter(path: Name, stat: FileStat, opaque: boolean): Generator<Change, void, undefined> {
    const entry = entryOf(this.#upper, path, { stat, links: this.#links })
    if (hasEqualRights(this.#lower?.lstat(path), stat)) this.#pending.hold(entry)
    else yield* this.#pending.before(entry)
    if (opaque && this.#lower === undefined) yield* this.#pending.before({ kind: 'opaque', path })
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

  /** False for a deletion without effect, e.g. of a file that the same step made. */
  #isBelow(path: Name): boolean {
    return this.#lower === undefined || this.#lower.lstat(path) !== undefined
  }

  /** Opening a file for writing copies it up, even when nothing is written. */
  #isUnchanged(entry: EntryChange): boolean {
    return this.#lower !== undefined && isUnchanged(entry, this.#lower)
  }
}
