import { accessSync, closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A native library that lies in no file. */
export interface Addon {
  readonly name: string
  readonly bytes: Uint8Array
}

const { O_RDWR, O_CREAT, O_DIRECTORY, O_EXCL, X_OK } = constants
const O_TMPFILE = 0o20000000 | O_DIRECTORY

/** For its owner. Executable, since `access` below says what may be executed by that, too. */
const MODE = 0o700

/**
 * Writes a native library to a file without a name, so that no other can be put in its place. The file is in the
 * first folder from which code may be executed; in containers, memory often is no such folder.
 * @returns a path for the threads of this process, as long as it lives
 * @throws EACCES where there is no such folder
 */
export function writeAddon(addon: Addon, env: NodeJS.ProcessEnv): string {
  const { TMPDIR, TSBUILD_ROOT, XDG_RUNTIME_DIR, HOME } = env
  const candidates = ['/dev/shm', TMPDIR, '/tmp', '/var/tmp', TSBUILD_ROOT, XDG_RUNTIME_DIR, HOME]
  const folders = candidates.flatMap((folder) => folder || [])
  for (const folder of folders) {
    const path = writeIn(folder, addon)
    if (path !== undefined) return path
  }
  const message = `no file may be written and executed in ${folders.join(', ')}`
  throw Object.assign(new Error(message), { code: 'EACCES' })
}

function writeIn(folder: string, { name, bytes }: Addon): string | undefined {
  let fd: number
  try {
    fd = openUnnamed(folder, name)
  } catch {
    return undefined
  }
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    const path = `/proc/self/fd/${fd}`
    accessSync(path, X_OK)
    return path
  } catch {
    closeSync(fd)
    return undefined
  }
}

function openUnnamed(folder: string, name: string): number {
  try {
    return openSync(folder, O_TMPFILE | O_RDWR, MODE)
  } catch {
    // Not every file system has such files, nor does overlay of older kernels.
    const mark = Math.random().toString(36).slice(2)
    const draft = join(folder, `.tsbuild-${process.pid}-${mark}-${name}`)
    const fd = openSync(draft, O_CREAT | O_EXCL | O_RDWR, MODE)
    unlinkSync(draft)
    return fd
  }
}
