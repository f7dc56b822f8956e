import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { errnoOf } from '#core'
import { syscall } from './syscalls.ts'

/** The user and groups that a thread acts as. All functions here change the calling thread only. */
export interface Identity {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

const PR_SET_CHILD_SUBREAPER = 36
const PR_GET_CHILD_SUBREAPER = 37
const PR_SET_DUMPABLE = 4

/** Acts as another user until `resumeRoot`: real and effective ids change, the saved ones stay 0. */
export function assumeIdentity(identity: Identity): void {
  const groups = Buffer.alloc(Math.max(1, identity.groups.length) * 4)
  identity.groups.forEach((group, index) => {
    groups.writeUInt32LE(group, index * 4)
  })
  setGroups(identity.groups.length, groups)
  syscall('setresgid', [identity.gid, identity.gid, 0], `gid ${identity.gid}`)
  syscall('setresuid', [identity.uid, identity.uid, 0], `uid ${identity.uid}`)
  // No process with the step's uid may trace or read this process while one of its threads acts as it.
  preventTracing()
}

/** Lets no process that lacks the right to trace all others trace this one, or read its memory. */
export function preventTracing(): void {
  syscall('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'dumpable')
}

/** Makes this process the parent of processes below it whose parents end. */
export function adoptOrphans(): void {
  syscall('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], 'orphans')
}

/**
 * Makes this process the parent of such processes while `action` runs. Orphans of others that end a moment
 * later than they become its children stay until this process ends, so that is to be short.
 */
export function adoptingOrphans<T>(action: () => T): T {
  const before = Buffer.alloc(4)
  syscall('prctl', [PR_GET_CHILD_SUBREAPER, before, 0, 0, 0], 'orphans')
  adoptOrphans()
  try {
    return action()
  } finally {
    syscall('prctl', [PR_SET_CHILD_SUBREAPER, before.readInt32LE(0), 0, 0, 0], 'orphans')
  }
}

/** Acts as root again. */
export function resumeRoot(): void {
  syscall('setresuid', [0, 0, 0], 'uid 0')
  syscall('setresgid', [0, 0, 0], 'gid 0')
  setGroups(0, undefined)
}

function setGroups(count: number, groups: Buffer | undefined): void {
  if (canSetGroups()) syscall('setgroups', [count, groups], 'groups of the step')
}

let own: bigint | undefined

/** The capabilities that this process may use, a bit each. It gives up none while it runs. */
export function ownCapabilities(): bigint {
  own ??= readCapabilities()
  return own
}

function readCapabilities(): bigint {
  const status = readFileSync('/proc/self/status', 'latin1')
  return BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
}

let last: number | undefined

/** The highest capability that the kernel has. */
export function lastCapability(): number {
  last ??= Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'latin1'))
  return last
}

let settable: boolean | undefined

/** False in a user namespace whose user may not change groups: processes keep their own. It stays as it is. */
export function canSetGroups(): boolean {
  settable ??= readCanSetGroups()
  return settable
}

function readCanSetGroups(): boolean {
  try {
    return readFileSync('/proc/self/setgroups', 'latin1').trim() !== 'deny'
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return true
    throw cause
  }
}
