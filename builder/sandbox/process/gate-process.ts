/**
 * The program itself as pid 1. The root needs the /proc of its pid namespace before the program can be
 * looked up, and that needs a process in it. So pid 1 starts as a program of system calls that
 * mounts /proc, where only a process inside can, and waits at a gate: a socket, through which it gets the descriptors of the step and the
 * program of system calls that turns it into the step's (ADR 22).
 */
import { Buffer } from 'node:buffer'
import { closeSync, openSync } from 'node:fs'
import {
  CHILD,
  CHILD_ADDRESS,
  failureOf,
  makeCallProgram,
  makePipe,
  makeSocketPair,
  type ProgramCall,
  readReports,
  rightsMessage,
  sendDescriptors,
} from '#builder/linux'
import { killAndWait } from '../children/shared-child.ts'
import type { StepNamespaces } from '../container/step-namespaces.ts'
import { confine } from '../filter/confinement.ts'
import { CAP_KILL } from '../filter/profile.ts'
import { type CgroupDir, entranceOf } from '../limits/cgroup-dir.ts'
import type { StartedFirst } from './first-process.ts'
import {
  endCall,
  type FirstProcessOptions,
  type GroupEnding,
  initStartError,
} from './init-process.ts'
import {
  CLONE_NEWPID,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  PR_SET_DUMPABLE,
  PR_SET_NAME,
  SIGCHLD,
  SIGKILL,
} from './kernel-constants.ts'
import { startProgram } from './start-program.ts'

/** What a pid 1 that waits needs. */
export interface GateOptions extends FirstProcessOptions {
  /** The control groups that it moves to before anything else. */
  readonly cgroups: readonly CgroupDir[]
  /** The pid namespace that it is in. */
  readonly pid: StepNamespaces['pid']
}

/** Descriptors of the two processes. */
const CONTROL = 0
const REPORT = 1
const NULL = 2
const GATE = 3
const FIRST_GROUP = 4

/** What goes through the gate, in this order: pid 1 gets the lowest free numbers. */
const PASSED = ['stdin', 'stdout', 'stderr', 'report', 'cwd', 'program'] as const

/** The number that pid 1 sees. */
function passed(name: (typeof PASSED)[number]): number {
  return GATE + 1 + PASSED.indexOf(name)
}

/** The numbers of descriptors that a program of system calls uses. */
export interface ProgramDescriptors {
  readonly report: number
  readonly cwd: number
  /** All but standard input, output and errors. */
  readonly all: readonly number[]
}

/** Where a process that has passed the gate finds its descriptors. */
export const GATE_DESCRIPTORS: ProgramDescriptors = {
  report: passed('report'),
  cwd: passed('cwd'),
  all: [GATE, ...PASSED.map(passed)],
}

/**
 * Starts a pid 1 that waits, from the calling thread, in a new pid namespace and the thread's other
 * ones. The process that forks it stays outside of the pid namespace as its guardian: it kills pid 1 when
 * the builder closes the control pipe or dies, whatever pid 1 runs by then.
 * @returns when /proc is mounted
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE
 */
export function startGate(options: GateOptions): StartedFirst {
  const control = makePipe()
  const report = makePipe()
  const [entrance, gate] = makeSocketPair()
  const groups = options.cgroups.map((group) => openSync(entranceOf(group), 'w'))
  const ends = options.ends.map(({ path }) => openSync(path, 'w'))
  const joined = typeof options.pid === 'number' ? [options.pid] : []
  const given = [gate, ...groups, ...ends, ...joined]
  let guardian: number | undefined
  try {
    const calls = gateCalls(options)
    guardian = startProgram(calls, {
      name: 'guardian',
      report: REPORT,
      standard: [control.readEnd, report.writeEnd],
      moved: given.map((descriptor, index) => [descriptor, GATE + index]),
    })
    closeSync(report.writeEnd)
    const pid = pidIn(readReports(report.readEnd), calls)
    const namespace = openSync(`/proc/${pid}/ns/pid`, 'r')
    const first = { pid, namespace, control: control.writeEnd, gate: { entrance, guardian } }
    return { first, awaitReady: () => undefined, [Symbol.dispose]: () => undefined }
  } catch (cause) {
    closeSync(control.writeEnd)
    closeSync(entrance)
    if (guardian === undefined) closeSync(report.writeEnd)
    else killAndWait(guardian)
    throw initStartError(cause)
  } finally {
    for (const descriptor of [control.readEnd, report.readEnd, gate, ...groups, ...ends]) {
      closeSync(descriptor)
    }
  }
}

function gateCalls({ mountProc, filter, cgroups, pid, ends }: GateOptions): readonly ProgramCall[] {
  const flags = CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD
  const groups = cgroups.map((_, index) => FIRST_GROUP + index)
  // `struct msghdr`: one byte, and descriptors.
  const message = [0, 0, [Buffer.alloc(8), 1], 1, room, room.length, 0]
  const firstEnd = FIRST_GROUP + groups.length
  const endings = ends.map(({ text }, index) => ({ descriptor: firstEnd + index, text }))
  const shared = typeof pid === 'number' ? [firstEnd + ends.length] : []
  return [
    // Others that are there could look at it.
    ...(pid === 'own' ? [NEW_PIDS] : [UNDUMPABLE, ...shared.map(joinPids)]),
    ...shared.map(closeCall),
    {
      call: 'clone',
      args: [flags, 0, CHILD_ADDRESS, 0, 0],
      forks: guardianCalls(filter, { unused: [GATE, ...groups], endings }),
    },
    ...endings.map(({ descriptor }) => closeCall(descriptor)),
    ...groups.flatMap((group): readonly ProgramCall[] => [
      { call: 'write', args: [group, '0', 1] },
      { call: 'close', args: [group] },
    ]),
    ...mountProc,
    { call: 'chdir', args: ['/'] },
    // Closes the pipe, and keeps the number from being used again.
    { call: 'dup3', args: [NULL, REPORT, 0] },
    { call: 'recvmsg', args: [GATE, message, 0], endsAtZero: true },
    ...PASSED.slice(0, 3).map((name, index): ProgramCall => {
      return { call: 'dup3', args: [passed(name), index, 0] }
    }),
    { call: 'execveat', args: [passed('program'), '', ['step', 0], [0], AT_EMPTY_PATH] },
  ]
}

const AT_EMPTY_PATH = 0x1000
const room = rightsMessage(PASSED.map(() => 0))

interface GuardianFiles {
  readonly unused: readonly number[]
  /** What it writes at the end, and where. */
  readonly endings: readonly GroupEnding[]
}

const UNDUMPABLE: ProgramCall = { call: 'prctl', args: [PR_SET_DUMPABLE, 0, 0, 0, 0] }
const NEW_PIDS: ProgramCall = { call: 'unshare', args: [CLONE_NEWPID] }

function joinPids(descriptor: number): ProgramCall {
  return { call: 'setns', args: [descriptor, CLONE_NEWPID] }
}

function closeCall(descriptor: number): ProgramCall {
  return { call: 'close', args: [descriptor] }
}

/** It keeps the right to kill a process of another user. */
function guardianCalls(filter: Buffer, { unused, endings }: GuardianFiles): readonly ProgramCall[] {
  return [
    ...[...unused, NULL].map(closeCall),
    { call: 'chdir', args: ['/'] },
    { call: 'prctl', args: [PR_SET_NAME, 'guardian', 0, 0, 0] },
    ...confine({ filter, user: { uid: 0, gid: 0, groups: [] }, capabilities: CAP_KILL }),
    { call: 'prctl', args: [PR_SET_DUMPABLE, 0, 0, 0, 0] },
    // The reports end when pid 1 has closed them too.
    { call: 'close', args: [REPORT] },
    { call: 'read', args: [CONTROL, [0], 1], optional: true },
    { call: 'kill', args: [CHILD, SIGKILL] },
    ...endings.map(endCall),
  ]
}

/** The pid of the new pid 1, once that and its guardian are ready. */
function pidIn(reports: ReturnType<typeof readReports>, calls: readonly ProgramCall[]): number {
  let pid: number | undefined
  let failure: Error | undefined
  for (const report of reports) {
    if (report.result < 0) failure ??= failureOf(report, calls)
    else if (calls[report.index]?.forks !== undefined) pid = report.result
  }
  if (pid !== undefined && failure === undefined) return pid
  if (pid !== undefined) killAndWait(pid)
  throw failure ?? new Error('it ended at once')
}

/** What a waiting pid 1 gets. */
export interface GatePass {
  /** Descriptors; the caller keeps its own. */
  readonly stdin: number
  readonly stdout: number
  readonly stderr: number
  readonly report: number
  readonly cwd: number
}

/**
 * Lets a waiting pid 1 go on with these calls, which find their descriptors at `GATE_DESCRIPTORS`.
 * @throws {SystemError} EPIPE when it has ended
 */
export function passGate(entrance: number, calls: readonly ProgramCall[], pass: GatePass): void {
  const program = makeCallProgram(calls, { report: GATE_DESCRIPTORS.report })
  try {
    const given = { ...pass, program }
    sendDescriptors(
      entrance,
      PASSED.map((name) => given[name]),
    )
  } finally {
    closeSync(program)
  }
}
