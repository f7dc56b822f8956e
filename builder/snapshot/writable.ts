import { chmodSync, chownSync, lstatSync, lutimesSync, mkdirSync } from 'node:fs'
import { listXattrs, setXattr } from '#builder/linux'
import { errnoOf, ioError, type OverlayMount } from '#core'

/** The two directories of an overlay that is written to. */
export type WritablePart = NonNullable<OverlayMount['writable']>

/**
 * Makes `directory` (absolute, must not exist) with the empty upper and work directories of a new
 * overlay. `/` of the union is the upper directory itself, so it gets owner, mode, times and
 * attributes of the topmost layer's root. Others cannot reach into it from the host.
 * @param lower overlay directories, topmost first, as in `OverlayMount`
 * @throws {TsbuildError} IO_FAILED, NO_SPACE, PERMISSION_DENIED
 */
export function createWritable(directory: string, lower: readonly string[]): WritablePart {
  const part = { upper: `${directory}/upper`, work: `${directory}/work` }
  try {
    mkdirSync(directory, { mode: 0o700 })
    mkdirSync(part.work, { mode: 0o700 })
    mkdirSync(part.upper, { mode: 0o755 })
    const top = lower[0]
    if (top === undefined) chmodSync(part.upper, 0o755)
    else copyAttributes(top, part.upper)
    return part
  } catch (cause) {
    throw ioError(`make the writable layer ${directory}`, cause)
  }
}

function copyAttributes(from: string, to: string): void {
  const stat = lstatSync(from)
  chownSync(to, stat.uid, stat.gid)
  chmodSync(to, stat.mode & 0o7777)
  for (const [name, value] of listXattrs(from)) {
    if (!isMarkOfOverlay(name)) copyAttribute(to, name, value)
  }
  lutimesSync(to, stat.atimeMs / 1000, stat.mtimeMs / 1000)
}

/** Attributes that overlayfs sets on a directory are valid only in the layer where it is. */
function isMarkOfOverlay(name: string): boolean {
  return name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')
}

/** Security labels belong to the host's policy, which may refuse them. */
function copyAttribute(path: string, name: string, value: Uint8Array): void {
  try {
    setXattr(path, name, value)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'EPERM' && errno !== 'ENOTSUP') throw cause
  }
}
