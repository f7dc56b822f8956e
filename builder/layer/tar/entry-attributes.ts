import type { FileStat, Name } from '#core'
import { invalidEntryError } from '../paths/entry-path.ts'
import { CAPABILITY, isWhiteoutDevice } from '../paths/whiteout.ts'
import type { TarEntry } from './tar-entry.ts'

/** chown(2) ignores 2^32 - 1, so the file would stay root's. */
const MAX_ID = 2 ** 32 - 2
/** The range of the kernel's device numbers. */
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

/** What a file gets of an entry besides its content. */
export interface EntryAttributes {
  readonly stat: FileStat
  /** Absent when there are none. */
  readonly xattrs?: ReadonlyMap<string, Buffer>
}

/**
 * The attributes of an entry that is not a hard link.
 * @throws {TsbuildError} LAYER_INVALID for an owner or device out of range, and for a device 0/0, which
 *   overlayfs would take for a deletion that other tools do not see
 */
export function attributesOf(entry: TarEntry, path: Name): EntryAttributes {
  const { type, mode, uid, gid, size, mtimeMs, major, minor } = entry
  if (!isBetween(uid, MAX_ID) || !isBetween(gid, MAX_ID)) {
    throw invalidEntryError(path, `the owner ${uid}:${gid} is out of range`)
  }
  if (type === 'hardlink') throw new Error('a hard link has no attributes of its own')
  if (type === 'file' && entry.name.endsWith('/')) {
    throw invalidEntryError(path, 'a file with the name of a directory')
  }
  const isDevice = type === 'block' || type === 'character'
  if (isDevice && !(isBetween(major, MAX_MAJOR) && isBetween(minor, MAX_MINOR))) {
    throw invalidEntryError(path, `the device ${major}:${minor} is out of range`)
  }
  if (isWhiteoutDevice(entry)) throw invalidEntryError(path, 'a device 0:0 is not a file')
  const device = { major: isDevice ? major : 0, minor: isDevice ? minor : 0 }
  const stat: FileStat = { type, mode, uid, gid, size, mtimeMs, ...device, inode: '', nlink: 1 }
  const xattrs = keptXattrs(entry)
  return xattrs.size === 0 ? { stat } : { stat, xattrs }
}

function isBetween(value: number, max: number): boolean {
  return value >= 0 && value <= max
}

/**
 * Capabilities and attributes in the namespace `user`. Others belong to the machine that made the layer
 * (labels, signatures) or control overlayfs, and are dropped.
 */
function keptXattrs({ type, xattrs }: TarEntry): ReadonlyMap<string, Buffer> {
  if (xattrs.size === 0 || (type !== 'file' && type !== 'directory')) return NO_XATTRS
  return new Map(
    [...xattrs].filter(
      ([name]) =>
        (name === CAPABILITY && type === 'file') ||
        (name.startsWith('user.') && !name.startsWith('user.overlay.')),
    ),
  )
}
