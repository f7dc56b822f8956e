import { constants, lstatSync, type PathLike, type Stats } from 'node:fs'
import type { FileStat, FileType } from '#core'

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

/** `scope` keeps the inode numbers of several file systems apart. */
export function toFileStat(stats: Stats, place: PathLike, scope = ''): FileStat {
  const type = TYPES.get(stats.mode & constants.S_IFMT) ?? 'file'
  const isDevice = type === 'block' || type === 'character'
  return {
    type,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === 'file' ? stats.size : 0,
    mtimeMs: stats.mtimeMs,
    major: isDevice ? majorOf(stats.rdev) : 0,
    minor: isDevice ? minorOf(stats.rdev) : 0,
    inode: scope + inodeOf(stats, place),
    nlink: stats.nlink,
  }
}

/** Inode numbers are 64 bits wide; past 2^53 a plain `Stats` has rounded them. */
function inodeOf(stats: Stats, place: PathLike): string {
  if (stats.nlink <= 1 || Number.isSafeInteger(stats.ino)) return String(stats.ino)
  return String(lstatSync(place, { bigint: true }).ino)
}

function majorOf(rdev: number): number {
  const device = BigInt(rdev)
  return Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n))
}

function minorOf(rdev: number): number {
  const device = BigInt(rdev)
  return Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n))
}
