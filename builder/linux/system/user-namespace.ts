import { readFileSync } from 'node:fs'

let inUserNamespace: boolean | undefined

/**
 * True when this process does not run in the machine's first user namespace. Then overlayfs keeps
 * its marks in `user.` attributes, and no device file can be made but whiteouts.
 */
export function isUserNamespace(): boolean {
  inUserNamespace ??= !/^\s*0\s+0\s+4294967295\s*$/.test(
    readFileSync('/proc/self/uid_map', 'latin1'),
  )
  return inUserNamespace
}

/** True in a user namespace that has one id only: everything in it belongs to that one. */
export function hasSingleId(): boolean {
  return (
    isUserNamespace() && /^\s*0\s+\d+\s+1\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))
  )
}
