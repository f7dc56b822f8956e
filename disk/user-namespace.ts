import { readFileSync, readlinkSync } from 'node:fs'
import { errnoOf } from '#core'

/** What the kernel calls the machine's first namespaces. Spec: linux/proc_ns.h */
const FIRST = { user: 0xeffffffd, pid: 0xeffffffc } as const

let inUserNamespace: boolean | undefined

/**
 * True when this process does not run in the machine's first user namespace. Then overlayfs keeps
 * its marks in `user.` attributes, and no device file can be made but whiteouts. The maps of ids do
 * not tell: a container's root may have all ids in a namespace of its own.
 */
export function isUserNamespace(): boolean {
  inUserNamespace ??= !isFirst('user')
  return inUserNamespace
}

/** True where this process and those that it sees are not those of a machine: in a container. */
export function isPidNamespace(): boolean {
  return !isFirst('pid')
}

/** A kernel without such namespaces has only one. */
function isFirst(kind: keyof typeof FIRST): boolean {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`) === `${kind}:[${FIRST[kind]}]`
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return true
    throw cause
  }
}

/** True where one user or group id only is mapped: everything belongs to that one. */
export function hasSingleId(): boolean {
  return isUserNamespace() && ['uid_map', 'gid_map'].some(isSingle)
}

/** Spec: user_namespaces(7) */
function isSingle(map: string): boolean {
  return /^\s*\d+\s+\d+\s+1\s*$/.test(readFileSync(`/proc/self/${map}`, 'latin1'))
}
