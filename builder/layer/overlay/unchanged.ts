import { closeSync, readSync } from 'node:fs'
import {
  type Change,
  type Digest,
  Digester,
  type EntryChange,
  type FileStat,
  type Name,
  type Tree,
} from '#core'

/**
 * Omits changes without effect on the layers below: equal files, and equal directories in which nothing
 * changes.
 * @param onFile gets the sha256 of the content of each file that is omitted
 */
export function* omitUnchanged(
  changes: Iterable<Change>,
  lower: Tree,
  onFile: (path: Name, digest: Digest) => void,
): Generator<Change> {
  const pending = new PendingDirectories()
  /** The directory in which the layers below are hidden. */
  let fresh: Name | undefined
  for (const change of changes) {
    const { path } = change
    const isFresh = fresh !== undefined && path.startsWith(`${fresh}/`)
    if (isFresh || change.kind !== 'entry') {
      if (change.kind === 'opaque') fresh = path
      yield* pending.before(change)
    } else if (change.stat.type === 'directory') {
      const below = lower.lstat(path)
      if (below?.type !== 'directory') fresh = path
      if (hasEqualRights(below, change.stat)) pending.hold(change)
      else yield* pending.before(change)
    } else if (!isUnchanged(change, lower, (digest) => onFile(path, digest))) {
      yield* pending.before(change)
    }
  }
}

/** Directories that change nothing themselves: they are yielded only before a change inside them. */
export class PendingDirectories {
  #held: EntryChange[] = []

  /** Adds a directory; in walk order. */
  hold(directory: EntryChange): void {
    this.#leaveFor(directory)
    this.#held.push(directory)
  }

  /** Yields a change after the directories that contain it. */
  *before(change: Change): Generator<Change, void, undefined> {
    this.#leaveFor(change)
    yield* this.#held.splice(0)
    yield change
  }

  /** Drops the directories that the walk has left: nothing in them changes. */
  #leaveFor({ path }: Change): void {
    for (let last = this.#held.at(-1); last !== undefined; last = this.#held.at(-1)) {
      if (path.startsWith(`${last.path}/`) || path === last.path) return
      this.#held.pop()
    }
  }
}

/** True for files of the same type, mode and owner; times do not count. */
export function hasEqualRights(below: FileStat | undefined, stat: FileStat): boolean {
  if (below === undefined || below.type !== stat.type) return false
  return below.mode === stat.mode && below.uid === stat.uid && below.gid === stat.gid
}

/**
 * True for an entry, not a directory, that equals what the layers below have: the same permissions, time
 * in whole seconds, and content. A file with several names always counts as a change.
 * @param onContent gets the digest of a regular file that is unchanged
 */
export function isUnchanged(
  entry: EntryChange,
  lower: Tree,
  onContent?: (digest: Digest) => void,
): boolean {
  const { stat, path } = entry
  if (stat.nlink > 1 || entry.hardlink !== undefined) return false
  const below = lower.lstat(path)
  if (below === undefined || !hasEqualRights(below, stat) || below.nlink > 1) return false
  if (below.size !== stat.size || secondsOf(below) !== secondsOf(stat)) return false
  if (stat.type === 'symlink') return lower.readlink(path) === entry.target
  if (stat.type !== 'file') return below.major === stat.major && below.minor === stat.minor
  if (!hasEqualXattrs(lower.xattrs(path), entry.xattrs ?? new Map())) return false
  return hasEqualContent(lower.openFile(path), entry, onContent)
}

function secondsOf({ mtimeMs }: FileStat): number {
  return Math.floor(mtimeMs / 1000)
}

function hasEqualXattrs(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value) === true)
}

/** Closes the descriptor. */
function hasEqualContent(
  below: number,
  { open, data }: EntryChange,
  onContent?: (digest: Digest) => void,
): boolean {
  const digester = onContent === undefined ? undefined : new Digester()
  const above = data === undefined ? open?.() : undefined
  const left = Buffer.allocUnsafe(64 * 1024)
  const right = Buffer.allocUnsafe(64 * 1024)
  try {
    for (let at = 0; ; ) {
      const got = readSync(below, left)
      const other = above === undefined ? copyOf(data, at, right) : readSync(above, right)
      if (got !== other) return false
      if (got === 0) {
        if (digester !== undefined) onContent?.(digester.digest())
        return true
      }
      if (left.compare(right, 0, got, 0, got) !== 0) return false
      digester?.update(right.subarray(0, got))
      at += got
    }
  } finally {
    closeSync(below)
    if (above !== undefined) closeSync(above)
  }
}

/** @returns the number of copied bytes */
function copyOf(data: Uint8Array | undefined, at: number, to: Buffer): number {
  if (data === undefined) throw new Error('a file without content')
  const part = data.subarray(at, at + to.length)
  to.set(part)
  return part.length
}
