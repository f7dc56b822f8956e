import { closeSync, readSync } from 'node:fs'
import { type Change, type EntryChange, type FileStat, joinName, type Name, type Tree } from '#core'
import { RawTree } from './raw-tree.ts'
import { isWhiteoutDevice } from './whiteout.ts'

export interface ChangesOptions {
  /**
   * The merged view of the layers below. With it, opaque marks become explicit whiteouts of what
   * was there, and what was copied up but not changed is left out.
   */
  readonly lower?: Tree
}

/**
 * What an overlay upper directory changes, in walk order. Sockets are left out; of extended
 * attributes only `security.capability` is kept. The changes are valid while they are iterated:
 * files are opened relative to the walk.
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

/** First path of every file with several names. */
type Links = Map<string, Name>

interface Seen {
  readonly stat: FileStat
  readonly links: Links
}

function entryOf(tree: Tree, path: Name, { stat, links }: Seen): EntryChange {
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
  /** Nothing of the layers below is seen in here. */
  readonly hidden: boolean
}

/** The walk through an upper directory, beside the tree that it lies on. */
class UpperWalk {
  readonly #upper: RawTree
  readonly #lower: Tree | undefined
  readonly #links: Links = new Map()
  /** Directories that changed nothing themselves: told only when something below them is. */
  #untold: EntryChange[] = []

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
        if (this.#untold.at(-1)?.path === top.path) this.#untold.pop()
        continue
      }
      const path = joinName(top.path, next.value)
      const stat = this.#upper.lstat(path)
      if (stat === undefined || isWhiteoutDevice(stat)) {
        if (stat === undefined || this.#isBelow(path)) yield* this.#tell({ kind: 'whiteout', path })
      } else if (stat.type === 'directory') {
        const opaque = this.#upper.isOpaque(path)
        yield* this.#enter(path, stat, opaque)
        stack.push(this.#frame(path, top.hidden || opaque))
      } else if (stat.type !== 'socket') {
        const entry = entryOf(this.#upper, path, { stat, links: this.#links })
        if (top.hidden || !this.#isUnchanged(entry)) yield* this.#tell(entry)
      }
    }
  }

  *#enter(path: Name, stat: FileStat, opaque: boolean): Generator<Change, void, undefined> {
    const entry = entryOf(this.#upper, path, { stat, links: this.#links })
    const below = this.#lower?.lstat(path)
    if (below?.type === 'directory' && hasEqualRights(below, stat)) this.#untold.push(entry)
    else yield* this.#tell(entry)
    if (opaque && this.#lower === undefined) yield* this.#tell({ kind: 'opaque', path })
  }

  *#tell(change: Change): Generator<Change, void, undefined> {
    if (this.#untold.length > 0) {
      yield* this.#untold
      this.#untold = []
    }
    yield change
  }

  /** In a hidden directory, the names that only the layers below have are told as whiteouts. */
  #frame(path: Name, hidden: boolean): Frame {
    const names = this.#upper.readdir(path)
    if (!hidden || this.#lower?.lstat(path)?.type !== 'directory') {
      return { path, hidden, names: names.values() }
    }
    const all = new Set([...names, ...this.#lower.readdir(path)])
    return { path, hidden, names: [...all].sort().values() }
  }

  /** A deletion of what was never there, e.g. made and removed in one step, says nothing. */
  #isBelow(path: Name): boolean {
    return this.#lower === undefined || this.#lower.lstat(path) !== undefined
  }

  /** Opening a file for writing copies it up, also when nothing is written then. */
  #isUnchanged(entry: EntryChange): boolean {
    const lower = this.#lower
    const { stat, path } = entry
    if (lower === undefined || stat.type !== 'file' || stat.nlink > 1) return false
    const below = lower.lstat(path)
    if (below?.type !== 'file' || below.nlink > 1) return false
    if (below.size !== stat.size || below.mtimeMs !== stat.mtimeMs) return false
    if (!hasEqualRights(below, stat)) return false
    if (!hasEqualXattrs(lower.xattrs(path), entry.xattrs ?? new Map())) return false
    return hasEqualContent(lower.openFile(path), this.#upper.openFile(path))
  }
}

function hasEqualRights(a: FileStat, b: FileStat): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid
}

function hasEqualXattrs(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value) === true)
}

/** Closes both descriptors. */
function hasEqualContent(a: number, b: number): boolean {
  const left = Buffer.allocUnsafe(64 * 1024)
  const right = Buffer.allocUnsafe(64 * 1024)
  try {
    for (;;) {
      const got = readSync(a, left)
      if (got !== readSync(b, right)) return false
      if (got === 0) return true
      if (left.compare(right, 0, got, 0, got) !== 0) return false
    }
  } finally {
    closeSync(a)
    closeSync(b)
  }
}
