/**
 * The processes between the builder and a step's program in place, where there is no pid namespace that
 * would end with it. Two programs of system calls do the part of a pid 1. The supervisor adopts what the
 * step leaves behind and has the kernel release it. Its child, the watcher, is the parent of the step's
 * program: it says how that ended and keeps its pid taken, until the builder sends no more signals to it.
 */
import { Buffer } from 'node:buffer'
import {
  CHILD,
  CHILD_ADDRESS,
  type ProgramCall,
  SIGNAL_INFO_SIZE,
  USAGE_SIZE,
} from '#builder/linux'
import {
  CLONE_PARENT_SETTID,
  PR_SET_DUMPABLE,
  PR_SET_NAME,
  SIGCHLD,
  SIGKILL,
} from '../../process/kernel-constants.ts'
import { type BecomingProgram, becomingCalls } from '../../process/step-program.ts'

/** Descriptors of the processes, the same in all of them. */
export interface SupervisorDescriptors {
  /** Read end: the supervisor goes on with the end of the step after a byte, and ends after another one. */
  readonly control: number
  /** Read end: the watcher ends when it is closed. */
  readonly hold: number
  /** Write end: gets a `siginfo_t` and a `struct rusage` when the program has ended. */
  readonly status: number
  /** Write end: says what fails; ends with the start of the program. */
  readonly report: number
  /** The working directory of the program. */
  readonly cwd: number
  /** A network namespace for all of them. */
  readonly network: number | undefined
}

/** Calls, and which of them gives the pid of the step's program. */
export interface SupervisorProgram {
  readonly calls: readonly ProgramCall[]
  readonly programIndex: number
}

const STANDARD = [0, 1, 2]
const PR_SET_PDEATHSIG = 1
const PR_SET_CHILD_SUBREAPER = 36
const CLONE_NEWNET = 0x40000000
const SIG_DFL = 0
const SIG_IGN = 1
const P_PID = 1
const WEXITED = 4
const WNOWAIT = 0x1000000
const AT_FDCWD = -100

/** Ends with its parent, unless it gets other rights. */
const END_WITH_PARENT: ProgramCall = {
  call: 'prctl',
  args: [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0],
}

/** The program that the builder starts. @param secrets paths of files that must not outlive it */
export function supervisorProgram(
  program: Omit<BecomingProgram, 'last'>,
  descriptors: SupervisorDescriptors,
  secrets: readonly string[],
): SupervisorProgram {
  const all = Object.values(descriptors).filter((one) => one !== undefined)
  const { report, cwd, network } = descriptors
  const before: readonly ProgramCall[] = [
    ...(network === undefined ? [] : [{ call: 'setns', args: [network, CLONE_NEWNET] } as const]),
    { call: 'prctl', args: [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0] },
    { call: 'prctl', args: [PR_SET_NAME, 'supervisor', 0, 0, 0] },
    { call: 'prctl', args: [PR_SET_DUMPABLE, 0, 0, 0, 0] },
    // The kernel then releases what it adopts.
    handle(SIG_IGN),
    fork(supervisorCalls(descriptors, all, secrets)),
    { call: 'prctl', args: [PR_SET_NAME, 'watcher', 0, 0, 0] },
    END_WITH_PARENT,
    handle(SIG_DFL),
  ]
  return {
    calls: [
      ...before,
      fork(watcherCalls(descriptors, all)),
      ...becomingCalls({ ...program, last: [END_WITH_PARENT] }, { report, cwd, all }),
    ],
    programIndex: before.length,
  }
}

function handle(action: number): ProgramCall {
  return { call: 'rt_sigaction', args: [SIGCHLD, [action, 0, 0, 0], 0, 8] }
}

function fork(calls: readonly ProgramCall[]): ProgramCall {
  return {
    call: 'clone',
    args: [CLONE_PARENT_SETTID | SIGCHLD, 0, CHILD_ADDRESS, 0, 0],
    forks: calls,
  }
}

/** Secrets go first, also when the builder has died: then there is no second byte. */
function supervisorCalls(
  { control }: SupervisorDescriptors,
  all: readonly number[],
  secrets: readonly string[],
): readonly ProgramCall[] {
  return [
    ...closeAllBut([control], all),
    { call: 'read', args: [control, [0], 1], optional: true },
    ...secrets.map((path): ProgramCall => {
      return { call: 'unlinkat', args: [AT_FDCWD, path, 0], optional: true }
    }),
    { call: 'read', args: [control, [0], 1], endsAtZero: true },
    // Fails once there is no process left of what it has adopted.
    { call: 'wait4', args: [-1, 0, 0, 0], optional: true },
  ]
}

function watcherCalls(
  { hold, status }: SupervisorDescriptors,
  all: readonly number[],
): readonly ProgramCall[] {
  const [info, usage] = [Buffer.alloc(SIGNAL_INFO_SIZE), Buffer.alloc(USAGE_SIZE)]
  // In one call, since the builder reads them in one.
  const parts = [info, info.length, usage, usage.length]
  return [
    ...closeAllBut([hold, status], all),
    { call: 'waitid', args: [P_PID, CHILD, info, WEXITED | WNOWAIT, usage] },
    { call: 'writev', args: [status, parts, 2] },
    { call: 'read', args: [hold, [0], 1], optional: true },
  ]
}

function closeAllBut(kept: readonly number[], all: readonly number[]): readonly ProgramCall[] {
  return [...STANDARD, ...all]
    .filter((descriptor) => !kept.includes(descriptor))
    .map((descriptor) => ({ call: 'close', args: [descriptor] }))
}
