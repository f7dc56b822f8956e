import { chmodSync, lchownSync, rmSync } from 'node:fs'
import { getXattr, RootedDirectory, setXattr } from '#builder/linux'
import { ownersFileOf } from '#core'
import { CAPABILITY } from '../paths/whiteout.ts'
import { writeError } from './directory-writer.ts'
import { KeptOwners } from './kept-owners.ts'

/**
 * Gives the files of a directory the owners that are kept beside it, in a process that has those ids.
 * Idempotent: after an interruption it is called again.
 * @throws {TsbuildError} PERMISSION_DENIED for an id that the process does not have, IO_FAILED
 */
export function restoreOwners(directory: string): void {
  const owners = KeptOwners.of(directory)
  if (owners === undefined) return
  const root = new RootedDirectory(directory)
  try {
    for (const [path, { uid, gid }] of owners.entries()) {
      const stats = root.lstat(path)
      if (stats === undefined) continue
      const place = stats.isDirectory() ? `${root.inside(path)}/.` : root.place(path)
      try {
        const capability = stats.isFile() ? getXattr(place, CAPABILITY) : undefined
        lchownSync(place, uid, gid)
        // Changing the owner has cleared the setuid bits and the capability.
        if (!stats.isSymbolicLink() && (stats.mode & 0o6000) !== 0) {
          chmodSync(place, stats.mode & 0o7777)
        }
        if (capability !== undefined) setXattr(place, CAPABILITY, capability)
      } catch (cause) {
        throw writeError(path, cause)
      }
    }
  } finally {
    root.close()
  }
  rmSync(ownersFileOf(directory))
}
