import { Buffer } from 'node:buffer'
import { isUserNamespace } from './nodes.ts'
import { syscall, trySyscall } from './syscalls.ts'

/**
 * Who a thread acts as. All functions here change the calling thread only.
 */
export interface Identity {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

const PR_CAPBSET_DROP = 24
const PR_SET_DUMPABLE = 4
const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_CLEAR_ALL = 4
const CAPABILITY_VERSION_3 = 0x20080522
const KEYCTL_JOIN_SESSION_KEYRING = 1
const LAST_POSSIBLE_CAPABILITY = 63

/**
 * Acts as somebody else until `resumeRoot`: real and effective ids change, the saved ones stay 0.
 * A program that is executed meanwhile has no way back, since execve(2) overwrites the saved ids.
 */
export function assumeIdentity(identity: Identity): void {
  const groups = Buffer.alloc(Math.max(1, identity.groups.length) * 4)
  identity.groups.forEach((group, index) => {
    groups.writeUInt32LE(group, index * 4)
  })
  setGroups(identity.groups.length, groups)
  syscall('setresgid', [identity.gid, identity.gid, 0], `gid ${identity.gid}`)
  syscall('setresuid', [identity.uid, identity.uid, 0], `uid ${identity.uid}`)
  // Nobody with the step's uid may trace or read this process while one of its threads acts as it.
  syscall('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0])
}

export function resumeRoot(): void {
  syscall('setresuid', [0, 0, 0], 'uid 0')
  syscall('setresgid', [0, 0, 0], 'gid 0')
  setGroups(0, undefined)
}

/** In a user namespace with a single user the kernel lets nobody change groups. */
function setGroups(count: number, groups: Buffer | undefined): void {
  const result = trySyscall('setgroups', [count, groups])
  if (result >= 0 || (result === -EPERM && isUserNamespace())) return
  syscall('setgroups', [count, groups], 'groups of the step')
}

const EPERM = 1

/**
 * Limits for good what programs executed from this thread can ever get: root programs get exactly
 * `keep` (a bit per capability), as far as the builder has them. The thread itself keeps its rights.
 */
export function limitCapabilities(keep: bigint): void {
  for (let capability = 0; capability <= LAST_POSSIBLE_CAPABILITY; capability++) {
    if ((keep >> BigInt(capability)) & 1n) continue
    // EINVAL: the kernel does not know this one nor any later one.
    if (trySyscall('prctl', [PR_CAPBSET_DROP, capability, 0, 0, 0]) < 0) break
  }
  trySyscall('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0])
  const header = Buffer.alloc(8)
  header.writeUInt32LE(CAPABILITY_VERSION_3)
  const sets = Buffer.alloc(24)
  syscall('capget', [header, sets], 'own capabilities')
  sets.writeUInt32LE(0, 8)
  sets.writeUInt32LE(0, 20)
  syscall('capset', [header, sets], 'own capabilities')
}

/** Leaves the user's session keyring for an empty one, where the kernel has keyrings. */
export function joinNewKeyring(): void {
  trySyscall('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, undefined, 0, 0, 0])
}
