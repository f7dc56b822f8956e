import {
  type NamespaceKind,
  namespaceFlag,
  type ProgramCall,
  type ResourceLimit,
} from '#builder/linux'
import { ULIMIT_NAMES, type Ulimit, type UlimitName } from '#core'
import { confine } from '../filter/confinement.ts'
import { OPEN_FILES, STEP_CAPABILITIES, STEP_UMASK } from '../filter/profile.ts'
import type { Prepared } from '../threads/messages.ts'

export interface StepProgram {
  readonly place: Prepared
  /** Where the program is in the root of the step, and what it is called with. */
  readonly program: string
  readonly args: readonly string[]
  readonly ulimits: readonly Ulimit[]
  /** The builder's own limit of open files. */
  readonly openFiles: ResourceLimit
  /** A control group of the second version. */
  readonly group: StepGroup | undefined
  /** Descriptor of a pipe that says what fails; the kernel closes it with the start of the program. */
  readonly report: number
}

/** How the process gets into a control group. */
export interface StepGroup {
  /** `birth`: of its directory. `move`: of its list of processes, open for writing. */
  readonly descriptor: number
  /** Kernels before 5.7 only move: it takes milliseconds after a quiet time. */
  readonly by: 'birth' | 'move'
}

const CLONE_PARENT = 0x8000
const CLONE_INTO_CGROUP = 0x200000000n
const CLONE_NEWCGROUP = 0x2000000
const SIGCHLD = 17
const F_SETFD = 2
const FD_CLOEXEC = 1
const KEYCTL_JOIN_SESSION_KEYRING = 1

/**
 * The calls that turn a process of the builder's into the step's, in the order that leaves nothing in
 * reach: it enters the namespaces, closes every descriptor of the builder, and only then follows a path;
 * rights go last before the program. The memory that runs them holds nothing but these calls.
 */
export function stepCalls(step: StepProgram): readonly ProgramCall[] {
  const { place, program, args, report } = step
  const { cwd, namespaces } = place
  const enter = (kind: NamespaceKind): readonly ProgramCall[] => {
    const descriptor = namespaces[kind]
    return descriptor === undefined
      ? []
      : [{ call: 'setns', args: [descriptor, namespaceFlag(kind)] }]
  }
  return [
    ...enter('pid'),
    fork(step.group),
    ...move(step.group),
    ...(['ipc', 'uts', 'net', 'mnt'] as const).flatMap(enter),
    // Its own control group is the root of what it sees of them.
    { call: 'unshare', args: [CLONE_NEWCGROUP], optional: true },
    { call: 'fchdir', args: [cwd] },
    ...inherited(step)
      .filter((descriptor) => descriptor !== report)
      .map(close),
    { call: 'fcntl', args: [report, F_SETFD, FD_CLOEXEC] },
    { call: 'setsid', args: [] },
    { call: 'umask', args: [STEP_UMASK] },
    { call: 'keyctl', args: [KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0], optional: true },
    ...limits(step),
    ...confine({ filter: place.filter, user: place.user, capabilities: STEP_CAPABILITIES }),
    { call: 'execve', args: [program, [...args, 0], [...place.env, 0]] },
  ]
}

/** The descriptors that the calls use, which the new process must have under the same numbers. */
export function inherited({ place, group, report }: StepProgram): readonly number[] {
  const others = group === undefined ? [report] : [report, group.descriptor]
  return [place.cwd, ...Object.values(place.namespaces), ...others]
}

function close(descriptor: number): ProgramCall {
  return { call: 'close', args: [descriptor] }
}

/** The child is the builder's. */
function fork(group: StepGroup | undefined): ProgramCall {
  if (group?.by !== 'birth') {
    return { call: 'clone', args: [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], forks: true }
  }
  // `struct clone_args`: flags, seven fields that are not used, set_tid, its size, and the group. With
  // CLONE_PARENT the signal at its end is that of the process that clones.
  const flags = BigInt(CLONE_PARENT) | CLONE_INTO_CGROUP
  const record = [flags, ...Array<number>(9).fill(0), group.descriptor]
  return { call: 'clone3', args: [record, record.length * 8], forks: true }
}

function move(group: StepGroup | undefined): readonly ProgramCall[] {
  return group?.by === 'move' ? [{ call: 'write', args: [group.descriptor, '0', 1] }] : []
}

function limits({ ulimits, openFiles }: StepProgram): readonly ProgramCall[] {
  const asked = new Map(ulimits.map((limit) => [limit.name, limit]))
  const set = (name: UlimitName, soft: bigint, hard: bigint): ProgramCall => ({
    call: 'prlimit64',
    args: [0, ULIMIT_NAMES.indexOf(name), [soft, hard], 0],
  })
  const files: readonly ProgramCall[] = [
    set('nofile', openFiles.hard, openFiles.hard),
    // Only root may have more than the builder has.
    { ...set('nofile', OPEN_FILES, OPEN_FILES), optional: true },
  ]
  return [
    ...(asked.has('core') ? [] : [set('core', 0n, 0n)]),
    ...(asked.has('nofile') ? [] : files),
    ...ulimits.map(({ name, soft, hard }) => set(name, raw(soft), raw(hard))),
  ]
}

/** A raw limit of the kernel for "none". */
const UNLIMITED = 2n ** 64n - 1n

function raw(limit: number): bigint {
  return limit < 0 ? UNLIMITED : BigInt(limit)
}
