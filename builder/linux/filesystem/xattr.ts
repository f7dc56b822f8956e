import { Buffer } from 'node:buffer'
import { cString, syscall, trySyscall } from '../system/syscalls.ts'

const ERANGE = 34
const ENODATA = 61
const EOPNOTSUPP = 95

/**
 * All extended attributes of `path` that this process may see, by name; a symbolic link is not
 * followed. Empty where the file system has none.
 * @throws {SystemError}
 */
export function listXattrs(path: Buffer | string): Map<string, Buffer> {
  const terminated = cString(path)
  const found = new Map<string, Buffer>()
  for (const name of readNames(terminated)) {
    const value = readValue(terminated, name)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

/** One extended attribute, or `undefined` when `path` has none of that name. No link is followed. */
export function getXattr(path: Buffer | string, name: string): Buffer | undefined {
  return readValue(cString(path), name)
}

/** Sets one extended attribute of `path` itself. @throws {SystemError} */
export function setXattr(path: Buffer | string, name: string, value: Uint8Array): void {
  const terminated = cString(path)
  syscall('lsetxattr', [terminated, cString(name), value, value.length, 0], terminated)
}

/** Removes an extended attribute of `path` itself that it has. @throws {SystemError} */
export function removeXattr(path: Buffer | string, name: string): void {
  const terminated = cString(path)
  syscall('lremovexattr', [terminated, cString(name)], terminated)
}

/** Most files have no attributes at all: one call with a buffer that is kept finds that out. */
const shortList = Buffer.alloc(1024)
const shortValue = Buffer.alloc(4096)

function readNames(path: Buffer): readonly string[] {
  let buffer = shortList
  for (;;) {
    const length = trySyscall('llistxattr', [path, buffer, buffer.length])
    if (length === 0 || length === -EOPNOTSUPP) return []
    if (length > 0) return buffer.toString('utf8', 0, length - 1).split('\0')
    if (length !== -ERANGE) syscall('llistxattr', [path, buffer, buffer.length], path)
    buffer = Buffer.alloc(syscall('llistxattr', [path, undefined, 0], path) + 256)
  }
}

function readValue(path: Buffer, name: string): Buffer | undefined {
  const key = cString(name)
  let buffer = shortValue
  let strange = 0
  for (;;) {
    const length = trySyscall('lgetxattr', [path, key, buffer, buffer.length])
    if (length >= 0) return Buffer.from(buffer.subarray(0, length))
    if (length === -ENODATA || length === -EOPNOTSUPP) return undefined
    // The engine may have changed errno since, for reasons of its own: seen once in millions of calls.
    if (length !== -ERANGE && strange++ === 0) continue
    if (length !== -ERANGE) syscall('lgetxattr', [path, key, buffer, buffer.length], path)
    // It may be gone by now, which the next turn finds.
    const size = trySyscall('lgetxattr', [path, key, undefined, 0])
    buffer = Buffer.alloc(Math.max(size, 0) + 256)
  }
}
