import { readFileSync, statSync } from 'node:fs'

/** The inode of the machine's first user namespace. Spec: PROC_USER_INIT_INO of linux/proc_ns.h */
const FIRST = 0xeffffffd

let inUserNamespace: boolean | undefined

/**
 * True when this process does not run in the machine's first user namespace: no device file can be made
 * then but whiteouts, and attributes in `trusted.` do not exist.
 */
export function isUserNamespace(): boolean {
  // Not by the map: a namespace below the first one can have all ids, too.
  inUserNamespace ??= namespaceInode() !== FIRST
  return inUserNamespace
}

/** A kernel without user namespaces has the first one only. */
function namespaceInode(): number {
  return statSync('/proc/self/ns/user', { throwIfNoEntry: false })?.ino ?? FIRST
}

/** True where one user or group id only is mapped: all files belong to that one. */
export function hasSingleId(): boolean {
  return isUserNamespace() && ['uid_map', 'gid_map'].some((map) => isSingle(map))
}

/** Spec: user_namespaces(7) */
function isSingle(map: string): boolean {
  return /^\s*\d+\s+\d+\s+1\s*$/.test(readFileSync(`/proc/self/${map}`, 'latin1'))
}
