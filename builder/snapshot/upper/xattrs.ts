import type { Buffer } from 'node:buffer'
import { listXattrs, setXattr } from '#builder/linux'
import { errnoOf } from '#core'

/** Attributes that overlayfs sets on a file are valid only in the layer where it is. */
const MARK_OF_OVERLAY = /^(?:trusted|user)\.overlay\./

/** Gives a file the attributes of another one, without the marks of overlayfs. No link is followed. */
export function copyXattrs(from: Buffer | string, to: Buffer | string): void {
  for (const [name, value] of listXattrs(from)) {
    if (!MARK_OF_OVERLAY.test(name)) copyXattr(to, name, value)
  }
}

/** Security labels belong to the host's policy, which may refuse them. */
function copyXattr(path: Buffer | string, name: string, value: Uint8Array): void {
  try {
    setXattr(path, name, value)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno !== 'EPERM' && errno !== 'ENOTSUP') throw cause
  }
}
