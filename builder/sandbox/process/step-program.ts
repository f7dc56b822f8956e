import { constants } from 'node:fs'
import {
  AT_FDCWD,
  type NamespaceKind,
  namespaceFlags,
  type ProgramCall,
  TIOCSCTTY,
} from '#builder/linux'
import { ULIMIT_NAMES } from '#core'
import { profileOnExec } from '../filter/apparmor.ts'
import { type Confinement, confine } from '../filter/confinement.ts'
import { adjustCalls, confineOnExec } from '../filter/exec-attribute.ts'
import { STEP_UMASK } from '../filter/profile.ts'
import { GATE_DESCRIPTORS, type ProgramDescriptors } from './gate-process.ts'
import {
  CLONE_INTO_CGROUP,
  CLONE_NEWCGROUP,
  CLONE_PARENT,
  F_SETFD,
  FD_CLOEXEC,
  PR_SET_DUMPABLE,
  SIGCHLD,
} from './kernel-constants.ts'
import type { PreparedStep } from './prepared-step.ts'
import { type LimitInput, processLimits } from './process-limits.ts'

/** What the process of a step becomes. */
export interface StepProgram extends LimitInput {
  readonly step: PreparedStep
  /** Where the program is in the root of the step, and what it is called with. */
  readonly program: string
  readonly args: readonly string[]
  /** Its standard input is a terminal, which it controls. */
  readonly hasTerminal?: boolean
}

/** How a process of the builder's becomes the step's, beside a pid 1 that is an init. */
export interface StepEntry {
  /** Descriptor of a pipe that says what fails; the kernel closes it with the start of the program. */
  readonly report: number
  /** Files by which it enters control groups of the first version. */
  readonly entrances: readonly string[]
  /** A control group of the second version. */
  readonly group: StepGroup | undefined
}

/** How the process gets into a control group. */
export interface StepGroup {
  /** `clone`: of its directory. `move`: of its list of processes, open for writing. */
  readonly descriptor: number
  /** Kernels before 5.7 only move: it takes milliseconds after a quiet time. */
  readonly by: 'clone' | 'move'
}

const KEYCTL_JOIN_SESSION_KEYRING = 1

/**
 * The calls that turn a process of the builder's into the step's, in the order that leaves nothing in
 * reach: it enters the namespaces, closes every descriptor of the builder, and only then follows a path;
 * rights go last before the program. The memory that runs them holds nothing but these calls.
 */
export function enteringCalls(program: StepProgram, entry: StepEntry): readonly ProgramCall[] {
  const { root, namespaces } = program.step
  const enter = (kind: NamespaceKind): readonly ProgramCall[] => {
    const descriptor = namespaces[kind]
    // What it starts from is on the host already.
    const isEntered = kind === 'pid' && program.step.pids === 'host'
    return descriptor === undefined || isEntered
      ? []
      : [{ call: 'setns', args: [descriptor, namespaceFlags(kind)] }]
  }
  const { report, group, entrances } = entry
  const left = Object.values(namespaces)
  const own = inherited(program, entry)
  const all = own.filter((descriptor) => !left.includes(descriptor))
  return [
    // Where processes of the step may be, they could trace it, open its descriptors, and report for it.
    { call: 'prctl', args: [PR_SET_DUMPABLE, 0, 0, 0, 0] },
    // Before it forks, which counts in them.
    ...entrances.flatMap((entrance) => entranceCalls(entrance, lowestBut(own))),
    // The pid namespace is the last: from then on these can look at it, at what it sees and has open.
    ...(['ipc', 'uts', 'net', 'mnt', 'pid'] as const).flatMap(enter),
    ...left.map((descriptor): ProgramCall => ({ call: 'close', args: [descriptor] })),
    fork(group),
    ...move(group),
    ...stepCalls(program, { cwd: root.cwd, report, all }),
  ]
}

/** @param descriptor the one that the kernel takes next */
function entranceCalls(entrance: string, descriptor: number): readonly ProgramCall[] {
  return [
    { call: 'openat', args: [AT_FDCWD, entrance, constants.O_WRONLY, 0] },
    { call: 'write', args: [descriptor, '0', 1] },
    { call: 'close', args: [descriptor] },
  ]
}

/** The lowest descriptor behind the standard ones that is not taken. */
function lowestBut(taken: readonly number[]): number {
  let lowest = 3
  while (taken.includes(lowest)) lowest++
  return lowest
}

/** The calls that turn a pid 1 that has passed the gate into the program. */
export function passedCalls(program: StepProgram): readonly ProgramCall[] {
  return stepCalls(program, GATE_DESCRIPTORS)
}

/** The descriptors that `enteringCalls` use, which the new process must have under the same numbers. */
export function inherited({ step }: StepProgram, { group, report }: StepEntry): readonly number[] {
  const others = group === undefined ? [report] : [report, group.descriptor]
  return [step.root.cwd, ...Object.values(step.namespaces), ...others]
}

/** From a process in the step's namespaces to the program. */
function stepCalls(
  { step, ...program }: StepProgram,
  descriptors: ProgramDescriptors,
): readonly ProgramCall[] {
  const { root, label, profile, hidesGroups } = step
  const { oomScoreAdj } = step.rights
  const confinement = confinementOf(step)
  const onExec = profile === undefined ? label : profileOnExec(profile)
  const own = { env: root.env, onExec, confinement, oomScoreAdj, hidesGroups }
  return becomingCalls({ ...program, ...own }, descriptors)
}

/** What the program of a step is left with. */
export function confinementOf({
  root,
  filter,
  rights: { capabilities, noNewPrivileges },
}: Pick<PreparedStep, 'root' | 'filter' | 'rights'>): Confinement {
  return { filter, user: root.user, capabilities, bounding: capabilities, noNewPrivileges }
}

/** What a process becomes, wherever it is. */
export interface BecomingProgram extends Omit<StepProgram, 'step'> {
  /** Complete. */
  readonly env: readonly string[]
  readonly confinement: Confinement
  /** What a security module of the kernel makes of it, as `confineOnExec` takes it. */
  readonly onExec?: string | undefined
  /** How soon the kernel ends it when memory is short. Default: as the builder. */
  readonly oomScoreAdj?: number | undefined
  /** Its own control group is the root of what it sees of them. Default: true. */
  readonly hidesGroups?: boolean
  /** Made last, with the rights of the program. */
  readonly last?: readonly ProgramCall[]
}

/** The calls that turn a process that is where it belongs into a program. */
export function becomingCalls(
  {
    program,
    args,
    env,
    onExec,
    oomScoreAdj,
    hidesGroups = true,
    confinement,
    hasTerminal = false,
    last = [],
    ...limits
  }: BecomingProgram,
  { report, cwd, all }: ProgramDescriptors,
): readonly ProgramCall[] {
  return [
    ...(hidesGroups ? [HIDE_GROUPS] : []),
    { call: 'fchdir', args: [cwd] },
    ...all
      .filter((descriptor) => descriptor !== report)
      .map((descriptor): ProgramCall => ({ call: 'close', args: [descriptor] })),
    { call: 'fcntl', args: [report, F_SETFD, FD_CLOEXEC] },
    { call: 'setsid', args: [] },
    ...(hasTerminal ? [CONTROL_TERMINAL] : []),
    { call: 'umask', args: [STEP_UMASK] },
    { call: 'keyctl', args: [KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0], optional: true },
    ...limitCalls(limits),
    ...(oomScoreAdj === undefined ? [] : adjustCalls(oomScoreAdj, freeDescriptor(report))),
    ...(onExec === undefined ? [] : confineOnExec(onExec, freeDescriptor(report))),
    ...confine(confinement),
    ...last,
    { call: 'execve', args: [program, [...args, 0], [...env, 0]] },
  ]
}

/** Its own control group is the root of what it sees of them. */
const HIDE_GROUPS: ProgramCall = { call: 'unshare', args: [CLONE_NEWCGROUP], optional: true }

/** Makes standard input the terminal of the session that the process leads. */
export const CONTROL_TERMINAL: ProgramCall = { call: 'ioctl', args: [0, TIOCSCTTY, 0] }

/** Where only input, output, errors and the report are open. */
function freeDescriptor(report: number): number {
  return report === 3 ? 4 : 3
}

/** The child is the builder's. */
function fork(group: StepGroup | undefined): ProgramCall {
  if (group?.by !== 'clone') {
    return { call: 'clone', args: [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], forks: [] }
  }
  // `struct clone_args`: flags, seven fields that are not used, set_tid, its size, and the group. With
  // CLONE_PARENT the signal at its end is that of the process that clones.
  const flags = BigInt(CLONE_PARENT) | CLONE_INTO_CGROUP
  const record = [flags, ...Array<number>(9).fill(0), group.descriptor]
  return { call: 'clone3', args: [record, record.length * 8], forks: [] }
}

function move(group: StepGroup | undefined): readonly ProgramCall[] {
  return group?.by === 'move' ? [{ call: 'write', args: [group.descriptor, '0', 1] }] : []
}

/** The calls that set the limits of a process. */
export function limitCalls(limits: LimitInput): readonly ProgramCall[] {
  return processLimits(limits).map(({ name, soft, hard, optional }) => ({
    call: 'prlimit64',
    args: [0, ULIMIT_NAMES.indexOf(name), [soft, hard], 0],
    ...(optional === undefined ? {} : { optional }),
  }))
}
