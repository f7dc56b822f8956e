import { Buffer } from 'node:buffer'
import { constants, lstatSync, type Stats } from 'node:fs'
import type { Name } from '#core'
import { childPath } from '#disk'
import { SystemError, trySyscall } from '../system/syscalls.ts'

const AT_SYMLINK_NOFOLLOW = 0x100
/** What every file system has, and the time of birth. */
const BASIC_AND_BIRTH = 0xfff
const ENOENT = 2
const EPERM = 1
const ENOSYS = 38
const LONGEST_NAME = 255

/** Where the fields of `struct statx` are, in words of four bytes. Spec: statx(2) */
const ATTRIBUTES = 2
const UID = 5
const GID = 6
const MODE = 7
const INODE = 8
const SIZE = 10
const BORN = 20
const CHANGED = 24
const MODIFIED = 28
const RDEV_MAJOR = 32
const RDEV_MINOR = 33
const WORDS = 64
const MOUNT_ROOT = 0x2000

/** A time since the epoch. */
export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}

/**
 * What the kernel says about one file after another, for walks through many: statx(2) relative to a
 * directory takes half the time of `lstatSync`, which looks up a whole path and makes an object for each.
 */
export class FileFacts {
  /** Whether something has the name. */
  isThere = false
  inode = 0
  mode = 0
  uid = 0
  gid = 0
  size = 0
  /** Times are in milliseconds. */
  changedMs = 0
  modifiedMs = 0
  /** 0 where the file system does not know it. */
  bornMs = 0
  /** Of a device; 0 for the overlay form of a deleted name. */
  device = 0
  readonly #name = Buffer.alloc(LONGEST_NAME + 1)
  readonly #words = new Uint32Array(WORDS)
  readonly #bytes = new Uint8Array(this.#words.buffer)

  /**
   * Takes the facts of `name` in the directory that a descriptor is of; no link is followed.
   * @returns false when nothing has the name
   * @throws {SystemError}
   */
  read(directory: number, name: Name): boolean {
    this.#name[this.#name.write(name, 0, LONGEST_NAME, 'latin1')] = 0
    const result = trySyscall('statx', [
      ...[directory, this.#name, AT_SYMLINK_NOFOLLOW, BASIC_AND_BIRTH, this.#bytes],
    ])
    this.isThere = result !== -ENOENT
    if (!this.isThere) return false
    // Old kernels, and filters that do not know the call.
    if (result === -ENOSYS || result === -EPERM) return this.#readSlowly(directory, name)
    if (result < 0) throw new SystemError(-result, 'statx', name)
    this.#decode()
    return true
  }

  /** Something is mounted there; false where the kernel does not say so, before Linux 5.8. */
  get isMountPoint(): boolean {
    return ((this.#words[ATTRIBUTES] ?? 0) & MOUNT_ROOT) !== 0
  }

  /** The time of modification, exactly. */
  get modified(): FileTime {
    const seconds = this.#seconds(MODIFIED)
    return { seconds, nanoseconds: this.#words[MODIFIED + 2] ?? 0 }
  }

  is(type: 'directory' | 'socket' | 'character'): boolean {
    return (this.mode & constants.S_IFMT) === TYPE_BITS[type]
  }

  #readSlowly(directory: number, name: Name): boolean {
    this.#words.fill(0)
    const stats = lstatSync(childPath(directory, name), { throwIfNoEntry: false })
    if (stats !== undefined) this.#take(stats)
    this.isThere = stats !== undefined
    return this.isThere
  }

  #take(stats: Stats): void {
    this.inode = stats.ino
    this.mode = stats.mode
    this.uid = stats.uid
    this.gid = stats.gid
    this.size = stats.size
    this.changedMs = stats.ctimeMs
    this.modifiedMs = stats.mtimeMs
    this.bornMs = stats.birthtimeMs
    this.device = stats.rdev
    const seconds = Math.floor(stats.mtimeMs / 1000)
    const nanoseconds = Math.round((stats.mtimeMs - seconds * 1000) * 1e6)
    this.#words.set([seconds, Math.floor(seconds / 2 ** 32), nanoseconds], MODIFIED)
  }

  #decode(): void {
    const words = this.#words
    this.inode = this.#long(INODE)
    this.mode = (words[MODE] ?? 0) & 0xffff
    this.uid = words[UID] ?? 0
    this.gid = words[GID] ?? 0
    this.size = this.#long(SIZE)
    this.changedMs = this.#time(CHANGED)
    this.modifiedMs = this.#time(MODIFIED)
    this.bornMs = this.#time(BORN)
    this.device = (words[RDEV_MAJOR] ?? 0) * 2 ** 32 + (words[RDEV_MINOR] ?? 0)
  }

  #long(at: number): number {
    return (this.#words[at] ?? 0) + (this.#words[at + 1] ?? 0) * 2 ** 32
  }

  #time(at: number): number {
    return this.#seconds(at) * 1000 + (this.#words[at + 2] ?? 0) / 1e6
  }

  /** They are signed. */
  #seconds(at: number): number {
    return (this.#words[at] ?? 0) + ((this.#words[at + 1] ?? 0) | 0) * 2 ** 32
  }
}

const TYPE_BITS = {
  directory: constants.S_IFDIR,
  socket: constants.S_IFSOCK,
  character: constants.S_IFCHR,
} as const
