import { Buffer } from 'node:buffer'
import {
  canSetGroups,
  type Identity,
  lastCapability,
  ownCapabilities,
  type ProgramCall,
} from '#builder/linux'
import { STEP_CAPABILITIES } from './profile.ts'

/** What a process is left with. */
export interface Confinement {
  /** Of system calls; absent: none, and all rights of the builder stay. */
  readonly filter: Uint8Array | undefined
  readonly user: Identity
  /**
   * What the process itself keeps, a bit each; programs that root executes get those of a step. Absent:
   * all rights of the builder stay.
   */
  readonly capabilities: bigint | undefined
  /** What programs that root executes can have, where `capabilities` are limited. Default: those of a step. */
  readonly bounding?: bigint | undefined
  /** Programs get no more rights by set-uid files. Default: false. */
  readonly noNewPrivileges?: boolean
}

/** Sets of capabilities, a bit each. */
export interface CapabilitySets {
  /** What programs that root executes can have. */
  readonly bounding: bigint
  /** Effective and permitted. Nothing is inheritable or ambient. */
  readonly kept: bigint
}

/** What capabilities a process is left with. */
export function capabilitiesOf({
  user,
  capabilities,
  bounding = STEP_CAPABILITIES,
}: Pick<Confinement, 'user' | 'capabilities' | 'bounding'>): CapabilitySets {
  const own = ownCapabilities()
  return {
    bounding: capabilities === undefined ? own : bounding & own,
    kept: user.uid === 0 ? own & (capabilities ?? own) : 0n,
  }
}

/**
 * The calls by which a process gives up, for good, what a step must not have, and becomes a user. The
 * filter comes first because it takes a right to install; what follows passes it. It takes none, and comes last,
 * where programs get no new rights.
 */
export function confine({
  filter,
  noNewPrivileges = false,
  ...rights
}: Confinement): readonly ProgramCall[] {
  const { user, capabilities } = rights
  const { bounding, kept } = capabilitiesOf(rights)
  const filtering = filter === undefined ? [] : install(filter)
  return [
    ...(noNewPrivileges ? [] : filtering),
    ...(capabilities === undefined ? [] : limitCapabilities(bounding)),
    { call: 'prctl', args: [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], optional: true },
    ...become(user),
    // Nothing is inherited by programs but what their files or root give them.
    { call: 'capset', args: [capabilityHeader(), capabilitySets(kept)] },
    ...(noNewPrivileges ? [NO_NEW_PRIVILEGES, ...filtering] : []),
  ]
}

const NO_NEW_PRIVILEGES: ProgramCall = { call: 'prctl', args: [38, 1, 0, 0, 0] }

const SECCOMP_SET_MODE_FILTER = 1

function install(filter: Uint8Array): readonly ProgramCall[] {
  // `struct sock_fprog`: how many instructions, and where.
  const program = [filter.length / 8, filter]
  return [{ call: 'seccomp', args: [SECCOMP_SET_MODE_FILTER, 0, program] }]
}

const PR_CAPBSET_DROP = 24
const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_CLEAR_ALL = 4

/** The kernel refuses to drop what it does not know. */
function limitCapabilities(keep: bigint): readonly ProgramCall[] {
  return Array.from({ length: lastCapability() + 1 }, (_, capability) => capability)
    .filter((capability) => ((keep >> BigInt(capability)) & 1n) === 0n)
    .map((capability) => ({
      call: 'prctl',
      args: [PR_CAPBSET_DROP, capability, 0, 0, 0],
      optional: true,
    }))
}

function become({ uid, gid, groups }: Identity): readonly ProgramCall[] {
  const list = Buffer.alloc(Math.max(1, groups.length) * 4)
  groups.forEach((group, index) => {
    list.writeUInt32LE(group, index * 4)
  })
  return [
    ...(canSetGroups() ? [{ call: 'setgroups', args: [groups.length, list] } as const] : []),
    { call: 'setresgid', args: [gid, gid, gid] },
    { call: 'setresuid', args: [uid, uid, uid] },
  ]
}

const CAPABILITY_VERSION_3 = 0x20080522

function capabilityHeader(): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(CAPABILITY_VERSION_3)
  return header
}

/** Effective and permitted, low words first; none are inheritable. */
function capabilitySets(kept: bigint): Buffer {
  const sets = Buffer.alloc(24)
  const low = Number(kept & 0xffffffffn)
  const high = Number(kept >> 32n)
  for (const [offset, word] of [low, low, 0, high, high, 0].entries()) {
    sets.writeUInt32LE(word, offset * 4)
  }
  return sets
}
