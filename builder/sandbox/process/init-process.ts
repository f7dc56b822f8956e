import type { Buffer } from 'node:buffer'
import { closeSync, openSync, writeSync } from 'node:fs'
import {
  closeDescriptorsOnExec,
  failureOf,
  MS,
  makeCallProgram,
  makePipe,
  type ProgramCall,
  RECORD,
  RECORD_SIZE,
  readReports,
  spawnProcess,
  waitForExit,
} from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import { confine } from '../filter/confinement.ts'

/** Pid 1 of a step's pid namespace: a child of this process. */
export interface InitProcess {
  /** As the host numbers it. */
  readonly pid: number
  /** Closing it ends pid 1, and the kernel then kills all others in the namespace. */
  readonly control: number
}

/** One that has just been started. */
export interface StartedInit extends InitProcess {
  /** Descriptor of its pid namespace. */
  readonly namespace: number
}

export interface InitOptions {
  /** Where to mount /proc: an existing directory in the thread's working directory. */
  readonly proc: string
  /** The filter of system calls. */
  readonly filter: Buffer
}

const CONTROL = 0
const REPORT = 1

/**
 * Starts pid 1 from the calling thread, in a new pid namespace and the thread's other ones: a program
 * of a few system calls, with nothing of the builder, that has no file of the host and no right that a
 * step lacks. No step can trace it, read its memory or open its descriptors: it is in none of the step's
 * control groups, and must end with the builder. It mounts the namespace's /proc, which only a process
 * inside can, and then waits for the end of its input, which comes when the builder closes the pipe or
 * dies.
 * @returns when /proc is mounted
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE
 */
export function startInit(options: InitOptions): StartedInit {
  const control = makePipe()
  const report = makePipe()
  try {
    const calls = initCalls(options)
    runInitProgram(calls, control.readEnd, report.writeEnd)
    closeSync(control.readEnd)
    closeSync(report.writeEnd)
    const started = admit(readReports(report.readEnd), calls, control.writeEnd)
    return { ...started, control: control.writeEnd }
  } catch (cause) {
    closeSync(control.writeEnd)
    throw cause
  } finally {
    closeSync(report.readEnd)
  }
}

/** The process that starts it ends at once. */
function runInitProgram(calls: readonly ProgramCall[], control: number, report: number): void {
  const program = makeCallProgram(calls, { report: REPORT })
  try {
    closeDescriptorsOnExec()
    const starter = spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: ['init'],
      env: [],
      stdin: control,
      stdout: report,
    })
    waitForExit(starter)
  } finally {
    closeSync(program)
  }
}

const CLONE_NEWPID = 0x20000000
const CLONE_NEWCGROUP = 0x2000000
const CLONE_PARENT = 0x8000
const SIGCHLD = 17
const SIG_IGN = 1
const PR_SET_DUMPABLE = 4
const PR_SET_NAME = 15

function initCalls({ proc, filter }: InitOptions): readonly ProgramCall[] {
  return [
    { call: 'unshare', args: [CLONE_NEWCGROUP], optional: true },
    { call: 'unshare', args: [CLONE_NEWPID] },
    { call: 'clone', args: [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], forks: true },
    // Until the builder has its namespace.
    { call: 'read', args: [CONTROL, [0], 1] },
    { call: 'mount', args: ['proc', proc, 'proc', MS.NOSUID | MS.NODEV | MS.NOEXEC, 0] },
    { call: 'chdir', args: ['/'] },
    { call: 'prctl', args: [PR_SET_NAME, 'init', 0, 0, 0] },
    // The kernel then releases orphans, for which scripts that stop a service wait.
    { call: 'rt_sigaction', args: [SIGCHLD, [SIG_IGN, 0, 0, 0], 0, 8] },
    ...confine({ filter, user: { uid: 0, gid: 0, groups: [] }, capabilities: 0n }),
    { call: 'prctl', args: [PR_SET_DUMPABLE, 0, 0, 0, 0] },
    { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] },
    { call: 'close', args: [REPORT] },
    { call: 'close', args: [2] },
    { call: 'read', args: [CONTROL, [0], 1], optional: true },
    { call: 'exit_group', args: [0] },
  ]
}

/**
 * Opens the namespace of the new pid 1 while that takes no right to trace it, and lets it go on.
 * @param reports its pid, and what failed; they end when it is ready
 */
function admit(
  reports: ReturnType<typeof readReports>,
  calls: readonly ProgramCall[],
  control: number,
): Omit<StartedInit, 'control'> {
  let pid: number | undefined
  let namespace: number | undefined
  try {
    for (const report of reports) {
      if (report.result < 0) throw failureOf(report, calls)
      if (calls[report.index]?.forks !== true) continue
      pid = report.result
      namespace = openSync(`/proc/${pid}/ns/pid`, 'r')
      writeSync(control, '\0')
    }
    if (pid !== undefined && namespace !== undefined) return { pid, namespace }
    throw new Error('it ended at once')
  } catch (cause) {
    if (namespace !== undefined) closeSync(namespace)
    if (pid !== undefined) killAndWait(pid)
    throw notStarted(cause)
  }
}

/** Kills a process that may have ended by itself; as pid 1 it takes its whole namespace along. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (cause) {
    if (errnoOf(cause) !== 'ESRCH') throw cause
  }
}

/** Ends pid 1. When this returns, its namespace is empty and the mounts in it are gone. */
export function endInit(init: InitProcess): void {
  closeSync(init.control)
  killAndWait(init.pid)
}

/** A process that nobody waits for would keep its namespace from ending. */
export function killAndWait(pid: number): void {
  killProcess(pid)
  waitForExit(pid)
}

function notStarted(cause: unknown): TsbuildError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new TsbuildError(`start pid 1 of a step: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'steps need a kernel that lets them make namespaces and mount /proc in them',
    cause,
  })
}
