import { Buffer } from 'node:buffer'
import { constants } from 'node:fs'
import type { FileStat } from '#buildkit/messages'
import { baseOf, type Name, parentOf, type TsbuildError } from '#core'
import { systemFileMode } from '../entries/go-file-mode.ts'
import { protocolError, quotePath } from '../packets/transfer-error.ts'

/** What a peer says of one file, and what can be made here. */
export interface ReceivedEntry {
  /** Without `.`, `..` and empty names. */
  readonly path: Name
  readonly parent: Name
  readonly name: Name
  /** The kind of file: S_IFREG and so on, but no socket. */
  readonly kind: number
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  /** Bytes of a regular file. */
  readonly size: number
  /** Nanoseconds since the epoch. */
  readonly modTime: bigint
  /** Text of a symbolic link, or the earlier path of a file with several names; else empty. */
  readonly linkname: Name
  readonly major: number
  readonly minor: number
  readonly xattrs: ReadonlyMap<string, Buffer>
}

/** What the kernel takes. Spec: limits.h, path_resolution(7) */
const LONGEST_PATH = 4095
const LONGEST_NAME = 255
/** Of devices, on Linux. */
const MOST_MAJOR = 0xfff
const MOST_MINOR = 0xfffff

const EXECUTABLE_RIGHTS = 'security.capability'
const ORDINARY = /^user\.(?!overlay\.)/
const LONGEST_XATTR = 255
const LARGEST_XATTR = 65_536

/**
 * Checks what a peer says of a file. Of the attributes, only those that images can have are taken: others name rights, labels
 * and overlays of this machine.
 * @throws {TsbuildError} USAGE
 */
export function receivedEntry(stat: FileStat): ReceivedEntry {
  const { path, linkname, size, modTime } = stat
  checkPath(path)
  const mode = systemFileMode(stat.mode)
  const kind = (mode ?? 0) & constants.S_IFMT
  if (mode === undefined || kind === constants.S_IFSOCK) {
    throw entryError(path, `a file of mode 0x${stat.mode.toString(16)}`)
  }
  if (!Number.isSafeInteger(size) || size < 0) throw entryError(path, `a file of ${size} bytes`)
  checkLink(kind, stat)
  if (kind === constants.S_IFBLK || kind === constants.S_IFCHR) checkDevice(stat)
  return {
    ...{ path, parent: parentOf(path), name: baseOf(path), kind, mode: mode & 0o7777 },
    ...{ size, modTime, linkname, major: stat.devmajor, minor: stat.devminor },
    xattrs: keptXattrs(stat),
  }
}

function checkPath(path: Name): void {
  if (path.length > LONGEST_PATH) throw entryError(path, 'a path that is too long')
  if (path.includes('\0')) throw entryError(path, 'a path with NUL')
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') {
      throw entryError(path, 'a path that leads out, or is not plain')
    }
    if (name.length > LONGEST_NAME) throw entryError(path, 'a name that is too long')
  }
}

function checkLink(kind: number, { path, linkname }: FileStat): void {
  if (linkname.length > LONGEST_PATH || linkname.includes('\0')) {
    throw entryError(path, 'a link that is too long, or has NUL')
  }
  if (kind === constants.S_IFLNK && linkname === '') throw entryError(path, 'a link to nothing')
}

function checkDevice({ path, devmajor, devminor }: FileStat): void {
  const isMajor = devmajor >= 0 && devmajor <= MOST_MAJOR
  const isMinor = devminor >= 0 && devminor <= MOST_MINOR
  if (!isMajor || !isMinor) throw entryError(path, `a device ${devmajor}:${devminor}`)
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

function keptXattrs({ path, xattrs }: FileStat): ReadonlyMap<string, Buffer> {
  if (xattrs.size === 0) return NO_XATTRS
  const kept = new Map<string, Buffer>()
  for (const [name, value] of xattrs) {
    if (name !== EXECUTABLE_RIGHTS && !ORDINARY.test(name)) continue
    if (name.length > LONGEST_XATTR || name.includes('\0') || value.length > LARGEST_XATTR) {
      throw entryError(path, 'an attribute that is too long')
    }
    // It lies where the next packet will.
    kept.set(name, Buffer.from(value))
  }
  return kept
}

/** The error for a file that no peer sends. */
export function entryError(path: Name, what: string): TsbuildError {
  return protocolError(`${quotePath(path)}: ${what}`)
}
