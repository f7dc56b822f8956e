import { accessSync, closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, X_OK } = constants

/**
 * Writes a native library to a file that has no name any more, so that nobody can replace or keep it, in the
 * first folder from which code may be executed. The first one is in memory, but often not such a folder.
 * @returns a path of it, as long as this process lives
 * @throws EACCES where there is no such folder
 */
export function writeAddon(
  bytes: Uint8Array,
  { TMPDIR, XDG_RUNTIME_DIR, HOME }: NodeJS.ProcessEnv,
): string {
  const folders = ['/dev/shm', TMPDIR, '/tmp', '/var/tmp', XDG_RUNTIME_DIR, HOME].filter(Boolean)
  for (const folder of folders) {
    const path = folder && tryFolder(folder, bytes)
    if (path) return path
  }
  const tried = folders.join(', ')
  throw Object.assign(
    new Error(
      `there is no folder to load the native library from: TMPDIR can name one where files may be written and executed, unlike ${tried}`,
    ),
    { code: 'EACCES' },
  )
}

function tryFolder(folder: string, bytes: Uint8Array): string | undefined {
  const draft = join(folder, `.tsbuild-${process.pid}-${Math.random().toString(36).slice(2)}`)
  let fd: number
  try {
    // Executable: what is not is no more so for the check below than on a file system that forbids it.
    fd = openSync(draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o700)
  } catch {
    return undefined
  }
  try {
    unlinkSync(draft)
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    const path = `/proc/self/fd/${fd}`
    accessSync(path, X_OK)
    return path
  } catch {
    closeSync(fd)
    return undefined
  }
}
