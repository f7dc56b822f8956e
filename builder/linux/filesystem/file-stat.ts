import { constants, lstatSync, type PathLike } from 'node:fs'
import type { FileStat, FileType } from '#core'
import type { FileFacts } from './scanned-entries.ts'

const TYPES: ReadonlyMap<number, FileType> = new Map([
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFCHR, 'character'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFBLK, 'block'],
  [constants.S_IFREG, 'file'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFSOCK, 'socket'],
])

/** A directory of which nothing is known: not the time either, so that it is the same every time. */
export const BARE_DIRECTORY: FileStat = {
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeMs: 0,
  major: 0,
  minor: 0,
  inode: '',
  nlink: 1,
}

/** How the kernel's answer becomes a `FileStat`. */
export interface StatOptions {
  /** Where the kernel finds the file. */
  readonly place: PathLike
  /** Keeps the inode numbers of several trees apart. */
  readonly scope?: string
  /** `root`: everything belongs to 0:0. Default: `kept`. */
  readonly owner?: 'root' | 'kept'
}

/** What the kernel says about a file. */
export function fileStatOf(stats: FileFacts, { place, scope, owner }: StatOptions): FileStat {
  const { dev, ino, mode, size, mtimeMs, ctimeMs, nlink } = stats
  const type = TYPES.get(mode & constants.S_IFMT) ?? 'file'
  const isDevice = type === 'block' || type === 'character'
  return {
    type,
    mode: mode & 0o7777,
    uid: owner === 'root' ? 0 : stats.uid,
    gid: owner === 'root' ? 0 : stats.gid,
    size: type === 'file' ? size : 0,
    mtimeMs,
    ...(isDevice ? deviceNumbers(stats.rdev) : NO_DEVICE),
    inode: nlink > 1 && type !== 'directory' ? `${scope ?? dev}:${inodeOf(stats, place)}` : '',
    nlink,
    identity: { dev, ino, size, mtimeMs, ctimeMs },
  }
}

/** Inode numbers are 64 bits wide; past 2^53 a plain `Stats` has rounded them. */
function inodeOf({ ino }: FileFacts, place: PathLike): string {
  return String(Number.isSafeInteger(ino) ? ino : lstatSync(place, { bigint: true }).ino)
}

const NO_DEVICE = { major: 0, minor: 0 } as const

/** The numbers of a device, from `Stats.rdev`. Spec: makedev(3) */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev)
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  }
}
