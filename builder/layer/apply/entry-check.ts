import type { FileStat, Name } from '#core'
import type { Attributes } from '../overlay/directory-writer.ts'
import { invalidEntry } from '../paths/entry-path.ts'
import { CAPABILITY, isWhiteoutDevice } from '../paths/whiteout.ts'
import type { TarEntry } from '../tar/tar-entry.ts'

/** 2^32 - 1 means "leave it as it is" to chown(2), and so would give the file to root. */
const MAX_ID = 2 ** 32 - 2
/** What a device number of the kernel holds. */
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

/**
 * The attributes of an entry that is no hard link.
 * @throws {TsbuildError} LAYER_INVALID for an owner or device that cannot be, and for a device 0/0,
 *   which overlayfs would take for a deletion that no other tool sees
 */
export function attributesOf(entry: TarEntry, path: Name): Attributes {
  const { type, mode, uid, gid, size, mtimeMs, major, minor } = entry
  if (!isBetween(uid, MAX_ID) || !isBetween(gid, MAX_ID)) {
    throw invalidEntry(path, `the owner ${uid}:${gid} is out of range`)
  }
  if (type === 'hardlink') throw new Error('a hard link has no attributes of its own')
  if (type === 'file' && entry.name.endsWith('/')) {
    throw invalidEntry(path, 'a file with the name of a directory')
  }
  const isDevice = type === 'block' || type === 'character'
  if (isDevice && !(isBetween(major, MAX_MAJOR) && isBetween(minor, MAX_MINOR))) {
    throw invalidEntry(path, `the device ${major}:${minor} is out of range`)
  }
  if (isWhiteoutDevice(entry)) throw invalidEntry(path, 'a device 0:0 is no file')
  const device = { major: isDevice ? major : 0, minor: isDevice ? minor : 0 }
  const stat: FileStat = { type, mode, uid, gid, size, mtimeMs, ...device, inode: '', nlink: 1 }
  const xattrs = keptXattrs(entry)
  return xattrs.size === 0 ? { stat } : { stat, xattrs }
}

function isBetween(value: number, max: number): boolean {
  return value >= 0 && value <= max
}

/**
 * Capabilities and what users may set themselves. The rest belongs to the machine that made the
 * layer (labels, signatures) or steers overlayfs, and is dropped.
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
