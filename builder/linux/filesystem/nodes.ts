import type { Buffer } from 'node:buffer'
import { chmodSync, closeSync, constants, openSync } from 'node:fs'
import type { FileType } from '#core'
import { fileRights, O_PATH } from '#disk'
import { AT_FDCWD, cString, syscall } from '../system/syscalls.ts'

/** The file types that only mknod(2) makes. */
export type NodeType = Extract<FileType, 'fifo' | 'socket' | 'block' | 'character'>

const TYPE_BITS: Readonly<Record<NodeType, number>> = {
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
  block: constants.S_IFBLK,
  character: constants.S_IFCHR,
}

/** The attributes of a new node. */
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
  setNodeMode(path, mode)
}

/** Sets the mode of a node, which is not opened: that may have effects. A link in its place is not followed. */
export function setNodeMode(path: Buffer | string, mode: number): void {
  const node = openSync(path, O_PATH | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${node}`, mode)
  } finally {
    closeSync(node)
  }
}

/**
 * Marks `path` as deleted below, in overlay form: a character device 0/0. The kernel lets every
 * user make this one.
 */
export function makeWhiteout(path: Buffer | string): void {
  const terminated = cString(path)
  syscall('mknodat', [AT_FDCWD, terminated, constants.S_IFCHR, 0], terminated)
}

/** `dev_t` in the layout of the kernel's system calls, for numbers as `lstat` reports them. */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0
}

/** The attribute that makes a directory opaque in overlay form; its value is `y`. */
export function opaqueXattr(): 'trusted.overlay.opaque' | 'user.overlay.opaque' {
  return `${fileRights().marks}.overlay.opaque`
}
