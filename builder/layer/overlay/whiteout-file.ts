import { closeSync, constants, openSync, unlinkSync } from 'node:fs'
import { release } from 'node:os'
import {
  getXattr,
  opaqueXattr,
  type RootedDirectory,
  setXattr,
  whiteoutXattr,
} from '#builder/linux'
import { errnoOf, type Name } from '#core'
import { parentOf } from '../paths/resolve.ts'

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
/** Makes the kernel look for whiteouts among the files of a directory, which is not opaque then. */
const HAS_WHITEOUT_FILES = 'x'
/** Linux reads such whiteouts from here on. */
const SINCE = [6, 7] as const

/**
 * Makes a deletion on a file system that takes no devices, as another overlay: an empty file that an
 * attribute marks. A mounted overlay hides it as it does any whiteout.
 * Spec: Documentation/filesystems/overlayfs.rst, "Nesting overlayfs mounts"
 * @returns false, with nothing made, where no overlay would hide it
 */
export function makeWhiteoutFile(root: RootedDirectory, path: Name): boolean {
  if (!readsWhiteoutFiles()) return false
  const place = root.place(path)
  closeSync(openSync(place, CREATE, 0o600))
  try {
    setXattr(place, whiteoutXattr(), Buffer.from('y'))
    markDirectory(root, parentOf(path))
    return true
  } catch (cause) {
    unlinkSync(root.place(path))
    const errno = errnoOf(cause)
    if (errno !== 'ENOTSUP' && errno !== 'EPERM') throw cause
    return false
  }
}

/** In an opaque directory nothing needs to be hidden, but the file would be seen. */
function markDirectory(root: RootedDirectory, directory: Name): void {
  const place = `${root.inside(directory)}/.`
  const mark = getXattr(place, opaqueXattr())?.toString('latin1')
  if (mark === HAS_WHITEOUT_FILES) return
  if (mark !== undefined) throw Object.assign(new Error('it is opaque'), { code: 'ENOTSUP' })
  setXattr(place, opaqueXattr(), Buffer.from(HAS_WHITEOUT_FILES))
}

let isNew: boolean | undefined

function readsWhiteoutFiles(): boolean {
  if (isNew === undefined) {
    const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat)
    isNew = major > SINCE[0] || (major === SINCE[0] && minor >= SINCE[1])
  }
  return isNew
}
