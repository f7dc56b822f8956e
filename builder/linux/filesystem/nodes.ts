import type { Buffer } from 'node:buffer'
import { chmodSync, closeSync, constants, openSync, readFileSync, type Stats } from 'node:fs'
import type { FileType } from '#core'
import { AT_FDCWD, cString, syscall } from '../system/syscalls.ts'

/** The file types that only mknod(2) makes. */
export type NodeType = Extract<FileType, 'fifo' | 'socket' | 'block' | 'character'>

const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
  block: constants.S_IFBLK,
  character: constants.S_IFCHR,
}

export interface NodeOptions {
  /** Permission bits with setuid, setgid and sticky; the umask does not apply. */
  readonly mode: number
  readonly major?: number
  readonly minor?: number
}

/** Makes a device, fifo or socket file. @throws {SystemError} EPERM for devices in a user namespace */
export function makeNode(path: Buffer | string, type: NodeType, options: NodeOptions): void {
  const { mode, major = 0, minor = 0 } = options
  const terminated = cString(path)
  const device = deviceNumber(major, minor)
  syscall('mknodat', [AT_FDCWD, terminated, TYPE_BITS[type] | mode, device], terminated)
  chmodSync(path, mode)
}

/**
 * Marks `path` as deleted below, in overlay form: a character device 0/0. The kernel lets every
 * user make this one.
 */
export function makeWhiteout(path: Buffer | string): void {
  const terminated = cString(path)
  syscall('mknodat', [AT_FDCWD, terminated, constants.S_IFCHR, 0], terminated)
}

/** True for a whiteout in overlay form. */
export function isWhiteout(stat: Pick<Stats, 'isCharacterDevice' | 'rdev'>): boolean {
  return stat.rdev === 0 && stat.isCharacterDevice()
}

/** Waits until everything written to the file system of `path` is on disk. */
export function syncFileSystem(path: Buffer | string): void {
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    syscall('syncfs', [descriptor], path)
  } finally {
    closeSync(descriptor)
  }
}

/** `dev_t` in the layout of the kernel's system calls, for numbers as `lstat` reports them. */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0
}

let inUserNamespace: boolean | undefined

/**
 * True when this process does not run in the machine's first user namespace. Then overlayfs keeps
 * its marks in `user.` attributes, and no device file can be made but whiteouts.
 */
export function isUserNamespace(): boolean {
  inUserNamespace ??= !/^\s*0\s+0\s+4294967295\s*$/.test(
    readFileSync('/proc/self/uid_map', 'latin1'),
  )
  return inUserNamespace
}

/** True in a user namespace that has one id only: everything in it belongs to that one. */
export function hasSingleId(): boolean {
  return (
    isUserNamespace() && /^\s*0\s+\d+\s+1\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))
  )
}

/** The attribute that makes a directory opaque in overlay form; its value is `y`. */
export function opaqueXattr(): 'trusted.overlay.opaque' | 'user.overlay.opaque' {
  return isUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque'
}
