import { Buffer } from 'node:buffer'

/** What a name in a file system can be. */
export type FileType = 'file' | 'directory' | 'symlink' | 'block' | 'character' | 'fifo' | 'socket'

/** What tar, overlay and `lstat` agree on about one file. */
export interface FileStat {
  readonly type: FileType
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** The owner is that of the file below: what changed it here could neither see nor set owners. */
  readonly isOwnerPresumed?: boolean
  /** Bytes; 0 unless a regular file. */
  readonly size: number
  /** Milliseconds since the epoch, with fraction. */
  readonly mtimeMs: number
  /** Device numbers of a block or character file, else 0. */
  readonly major: number
  readonly minor: number
  /** Equal for the names of one file within one tree, else different; with `nlink` 1 unused. */
  readonly inode: string
  readonly nlink: number
  /** What a remembered digest of this file may be trusted by; only where the files are on a disk. */
  readonly identity?: FileIdentity
}

/**
 * How far a file's times must lie behind the clock before they distinguish one content from the next: a
 * file written twice within the granularity of its times (up to 2 s, on FAT) looks the same after
 * the second time.
 */
export const RACY_MILLISECONDS = 2000

/** Changes whenever the content of a file changes, within the granularity of the clock. */
export interface FileIdentity {
  readonly dev: number
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

declare const nameBrand: unique symbol

/**
 * A file name or path as the kernel has it: one character a byte (latin1), so that names which are
 * not UTF-8 survive and code-unit order is byte order. Text becomes one through `nameOf` only.
 */
export type Name = string & { readonly [nameBrand]: true }

/** The name that is `text` in UTF-8. */
export function nameOf(text: string): Name {
  return Buffer.from(text, 'utf8').toString('latin1') as Name
}

/** The name a system call gave, as bytes. */
export function nameFromBytes(bytes: Buffer): Name {
  return bytes.toString('latin1') as Name
}

/** What to hand to `node:fs` or to a tar header. */
export function bytesOfName(name: Name): Buffer {
  return Buffer.from(name, 'latin1')
}

/**
 * The file beside a layer's directory with the owners that its files cannot have, where there is one
 * user id only.
 */
export function ownersFileOf(directory: string): string {
  return `${directory}.owners`
}

/** A name as text, for messages and patterns: U+FFFD stands for what is not UTF-8. */
export function textOfName(name: Name): string {
  return Buffer.from(name, 'latin1').toString('utf8')
}

/** `a` and `b` as `a/b`; the empty name is the root. */
export function joinName(parent: Name, child: Name): Name {
  return (parent === '' ? child : `${parent}/${child}`) as Name
}

/** A path without its last name. The root is its own parent. */
export function parentOf(path: Name): Name {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) as Name
}

/** The last name of a path. */
export function baseOf(path: Name): Name {
  return path.slice(path.lastIndexOf('/') + 1) as Name
}

/**
 * A read-only file tree, read synchronously from a worker thread: a build context, a stack of
 * layers. Paths are relative to its root, `/`-separated, without leading slash, `.` or `..`; the
 * root is the empty name. No method ever follows a symbolic link or leaves the root.
 */
export interface Tree {
  /** `undefined` when nothing is at `path`, also when a parent is not a directory. */
  lstat(path: Name): FileStat | undefined
  /** Sorted names. Throws when `path` is not a directory. */
  readdir(path: Name): readonly Name[]
  /** The link's text, unresolved. */
  readlink(path: Name): Name
  /** A descriptor of a regular file, for reading; the caller closes it. */
  openFile(path: Name): number
  /** Extended attributes that belong into a layer (`security.capability`), by name. */
  xattrs(path: Name): ReadonlyMap<string, Buffer>
  close(): void
}

/** An entry of a directory. */
export interface NamedStat {
  readonly name: Name
  readonly stat: FileStat
}

/** A tree whose files can be opened while they are listed. */
export interface ReadableTree extends Tree {
  /**
   * What is in the directory at `path`, as `readdir` and `lstat` say, for a caller that opens every file
   * in this order. The files are opened ahead, so not opening one wastes work.
   */
  readFiles(path: Name): Iterable<NamedStat>
}

/** Whether files of `tree` can be opened while they are listed. */
export function isReadableTree(tree: Tree): tree is ReadableTree {
  return 'readFiles' in tree
}
