import { constants, openSync } from 'node:fs'
import { errnoOf } from '#core'

/** The same on every 64-bit machine of Linux; O_DIRECTORY is a part of it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
/** How kernels and file systems say that they have no files without a name. */
const NAMELESS_UNKNOWN: ReadonlySet<string | undefined> = new Set([
  ...['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL', 'ENOENT'],
])

/**
 * Opens a new file without a name on the file system of a folder.
 * @param access O_WRONLY or O_RDWR
 * @returns `undefined` where there are no such files
 * @throws as open(2) fails
 */
export function openNameless(folder: string, access: number, mode: number): number | undefined {
  try {
    return openSync(folder, O_TMPFILE | access, mode)
  } catch (cause) {
    if (NAMELESS_UNKNOWN.has(errnoOf(cause))) return undefined
    throw cause
  }
}
