import { constants, type Stats } from 'node:fs'
import type { FileStat, FileType } from '#core'

const TYPES: ReadonlyMap<number, FileType> = new Map([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFBLK, 'block'],
  [constants.S_IFCHR, 'character'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
])

export interface StatOptions {
  /** `root`: everything belongs to 0:0. */
  readonly owner: 'root' | 'kept'
  /**
   * The exact inode number. A `Stats` rounds it, and on overlayfs, whose numbers are large, two
   * files would look like one; it is asked for only where a file has several names.
   */
  readonly exactInode: () => string
}

/** What the kernel says about a file. */
export function fileStatOf(stats: Stats, options: StatOptions): FileStat {
  const { dev, ino, mode: bits, size, mtimeMs, ctimeMs, nlink } = stats
  const type = TYPES.get(bits & constants.S_IFMT) ?? 'file'
  const isDevice = type === 'block' || type === 'character'
  return {
    type,
    mode: bits & 0o7777,
    uid: options.owner === 'root' ? 0 : stats.uid,
    gid: options.owner === 'root' ? 0 : stats.gid,
    size: type === 'file' ? size : 0,
    mtimeMs,
    major: isDevice ? majorOf(BigInt(stats.rdev)) : 0,
    minor: isDevice ? minorOf(BigInt(stats.rdev)) : 0,
    inode: nlink > 1 && type !== 'directory' ? options.exactInode() : '',
    nlink,
    identity: { dev, ino, size, mtimeMs, ctimeMs },
  }
}

/** Linux' split of a 64-bit device number, as glibc's `major` and `minor` have it. */
function majorOf(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn))
}

function minorOf(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn))
}
