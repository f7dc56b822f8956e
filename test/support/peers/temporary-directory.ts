import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const DISK = '/tmp'

/** A directory that is gone, with all that is in it, at the end of the scope that holds it. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string
  /** The absolute path of a name in it. */
  file(name: string): string
}

/** @param mode permission bits, for a directory that others may enter */
export function temporaryDirectory(prefix: string, mode = 0o700): TemporaryDirectory {
  return directoryIn(tmpdir(), prefix, mode)
}

/** On the disk, wherever other temporary files lie. @param mode permission bits */
export function diskDirectory(prefix: string, mode = 0o700): TemporaryDirectory {
  return directoryIn(DISK, prefix, mode)
}

/**
 * In memory, for what writes many files and waits for the disk each time; on disk where the machine
 * has less than a gigabyte for it.
 */
export function memoryDirectory(prefix: string): TemporaryDirectory {
  return directoryIn(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), prefix, 0o700)
}

function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize > 1e9
}

function directoryIn(parent: string, prefix: string, mode: number): TemporaryDirectory {
  const path = mkdtempSync(join(parent, `tsbuild-${prefix}-`))
  chmodSync(path, mode)
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}
