import { bytesOfName, type Name } from '#core'

/**
 * `open` flag: only a place, not the right to read. Enough to walk on, and opens directories of any
 * mode. The same on every 64-bit machine of Linux.
 */
export const O_PATH = 0o10000000
/** Node sets it by itself. */
export const O_CLOEXEC = 0o2000000
const NOT_ASCII = /[^\0-\x7f]/

/**
 * Where system calls find `name` in the directory that a descriptor is of.
 * `node:fs` takes strings as UTF-8, so a name with other bytes goes as bytes.
 */
export function childPath(directory: number, name: string): string | Buffer {
  const path = `/proc/self/fd/${directory}/${name}`
  return NOT_ASCII.test(name) ? bytesOfName(path as Name) : path
}
