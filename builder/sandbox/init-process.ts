import type { Buffer } from 'node:buffer'
import { closeSync } from 'node:fs'
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
import { confine } from './confinement.ts'

/** Pid 1 of a step's pid namespace: a child of this process. */
export interface InitProcess {
  /** As the host numbers it. */
  readonly pid: number
  /** Closing it ends pid 1, and the kernel then kills all others in the namespace. */
  readonly control: number
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
 * step lacks. It mounts the namespace's /proc, which only a process inside can, and then waits for the
 * end of its input, which comes when the builder closes the pipe or dies.
 * @returns when /proc is mounted
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE
 */
export function startInit(options: InitOptions): InitProcess {
  const control = makePipe()
  const report = makePipe()
  try {
    const calls = initCalls(options)
    runInitProgram(calls, control.readEnd, report.writeEnd)
    closeSync(control.readEnd)
    closeSync(report.writeEnd)
    return { pid: readPid(report.readEnd, calls), control: control.writeEnd }
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
const PR_SET_NAME = 15

function initCalls({ proc, filter }: InitOptions): readonly ProgramCall[] {
  return [
    { call: 'unshare', args: [CLONE_NEWCGROUP], optional: true },
    { call: 'unshare', args: [CLONE_NEWPID] },
    { call: 'clone', args: [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], forks: true },
    { call: 'mount', args: ['proc', proc, 'proc', MS.NOSUID | MS.NODEV | MS.NOEXEC, 0] },
    { call: 'chdir', args: ['/'] },
    { call: 'prctl', args: [PR_SET_NAME, 'init', 0, 0, 0] },
    // The kernel then releases orphans, for which scripts that stop a service wait.
    { call: 'rt_sigaction', args: [SIGCHLD, [SIG_IGN, 0, 0, 0], 0, 8] },
    ...confine({ filter, user: { uid: 0, gid: 0, groups: [] }, capabilities: 0n }),
    { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] },
    { call: 'close', args: [REPORT] },
    { call: 'close', args: [2] },
    { call: 'read', args: [CONTROL, [0], 1], optional: true },
    { call: 'exit_group', args: [0] },
  ]
}

/** What it reports: its pid, that it is ready, or a failure; the latter two in any order with the first. */
function readPid(report: number, calls: readonly ProgramCall[]): number {
  let pid: number | undefined
  let failure: Error | undefined
  for (const line of readReports(report)) {
    if (calls[line.index]?.forks === true && line.result > 0) pid = line.result
    else if (line.result < 0) failure = failureOf(line, calls)
  }
  if (pid !== undefined && failure === undefined) return pid
  if (pid !== undefined) waitForExit(pid)
  throw notStarted(failure?.message ?? 'it ended at once')
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
  killProcess(init.pid)
  closeSync(init.control)
  waitForExit(init.pid)
}

function notStarted(reason: string): TsbuildError {
  return new TsbuildError(`start pid 1 of a step: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'steps need a kernel that lets them make namespaces and mount /proc in them',
  })
}
