import { Buffer } from 'node:buffer'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import {
  failureOf,
  makePipe,
  type ProgramCall,
  RECORD,
  RECORD_SIZE,
  readReports,
  waitForExit,
} from '#builder/linux'
import { TsbuildError } from '#core'
import { killAndWait } from '../children/shared-child.ts'
import { forwardCalls } from '../container/forward-calls.ts'
import { confine } from '../filter/confinement.ts'
import { CAP_KILL } from '../filter/profile.ts'
import type { GroupWrite } from '../limits/group-ends.ts'
import type { FirstProcess, StartedFirst } from './first-process.ts'
import {
  CLONE_NEWCGROUP,
  CLONE_NEWPID,
  CLONE_PARENT,
  PR_SET_DUMPABLE,
  PR_SET_NAME,
  SIGCHLD,
} from './kernel-constants.ts'
import { startProgram } from './start-program.ts'

/** What every first process needs. */
export interface FirstProcessOptions {
  /** Calls that mount its /proc; none where there is one. */
  readonly mountProc: readonly ProgramCall[]
  /** The filter of system calls. */
  readonly filter: Buffer
  /** What is written to files of its control groups when the builder has ended. */
  readonly ends: readonly GroupWrite[]
}

/** What an init needs. */
export interface InitOptions extends FirstProcessOptions {
  /** It passes the signals that it gets on to the program, of which `tellInit` says which it is. */
  readonly forwards: boolean
}

/** Descriptors of the program. */
const CONTROL = 0
const REPORT = 1
const FIRST_END = 3

/**
 * Starts pid 1 from the calling thread, in a new pid namespace and the thread's other ones: a program
 * of a few system calls, with nothing of the builder, that has no file of the host and no right that a
 * step lacks. A step cannot trace it, read its memory or open its descriptors: it is in none of the step's
 * control groups, and must end with the builder. It mounts the namespace's /proc, where only a process
 * inside can, and then waits for the end of its input, which comes when the builder closes the pipe or
 * dies.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE
 */
export function startInit(options: InitOptions): StartedFirst {
  const control = makePipe()
  const report = makePipe()
  const reports = readReports(report.readEnd)
  const ends = options.ends.map(({ path }) => openSync(path, 'w'))
  try {
    const calls = initCalls(options)
    // The process that starts it ends at once.
    waitForExit(
      startProgram(calls, {
        name: 'init',
        report: REPORT,
        standard: [control.readEnd, report.writeEnd],
        moved: ends.map((descriptor, index) => [descriptor, FIRST_END + index]),
      }),
    )
    closeSync(control.readEnd)
    closeSync(report.writeEnd)
    const first = { ...admit(reports, calls, control.writeEnd), forwards: options.forwards }
    return {
      first,
      awaitReady: () => throwFailure(reports, calls),
      [Symbol.dispose]: () => closeSync(report.readEnd),
    }
  } catch (cause) {
    closeSync(report.readEnd)
    closeSync(control.writeEnd)
    throw initStartError(cause)
  } finally {
    for (const descriptor of ends) closeSync(descriptor)
  }
}

/** A descriptor of a file of a control group, and what is written to it at the end. */
export interface GroupEnding {
  readonly descriptor: number
  readonly text: string
}

/** Writes it. */
export function endCall({ descriptor, text }: GroupEnding): ProgramCall {
  return { call: 'write', args: [descriptor, text, text.length], optional: true }
}

const SIG_IGN = 1

function initCalls(options: InitOptions): readonly ProgramCall[] {
  const { mountProc, filter, ends, forwards } = options
  const capabilities = forwards ? CAP_KILL : 0n
  const begin: readonly ProgramCall[] = [
    { call: 'unshare', args: [CLONE_NEWCGROUP], optional: true },
    { call: 'unshare', args: [CLONE_NEWPID] },
    { call: 'clone', args: [CLONE_PARENT | SIGCHLD, 0, 0, 0, 0], forks: [] },
    // Until the builder has its namespace.
    { call: 'read', args: [CONTROL, [0], 1] },
    ...mountProc,
    { call: 'chdir', args: ['/'] },
    { call: 'prctl', args: [PR_SET_NAME, 'init', 0, 0, 0] },
    // The kernel then releases orphans, for which scripts that stop a service wait.
    { call: 'rt_sigaction', args: [SIGCHLD, [SIG_IGN, 0, 0, 0], 0, 8] },
    ...confine({ filter, user: { uid: 0, gid: 0, groups: [] }, capabilities }),
    { call: 'prctl', args: [PR_SET_DUMPABLE, 0, 0, 0, 0] },
    { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] },
    { call: 'close', args: [REPORT] },
    { call: 'close', args: [2] },
  ]
  const wait: readonly ProgramCall[] = forwards
    ? forwardCalls(begin.length, FIRST_END + ends.length)
    : [{ call: 'read', args: [CONTROL, [0], 1], optional: true }]
  return [
    ...begin,
    ...wait,
    ...ends.map(({ text }, index) => endCall({ descriptor: FIRST_END + index, text })),
    { call: 'exit_group', args: [0] },
  ]
}

/**
 * Opens the namespace of the new pid 1 while that takes no right to trace it, and lets it go on.
 * @param reports the first has its pid, or what failed
 */
function admit(
  reports: ReturnType<typeof readReports>,
  calls: readonly ProgramCall[],
  control: number,
): FirstProcess {
  const { value: report } = reports.next()
  if (report === undefined) throw new Error('it ended at once')
  if (report.result < 0) throw failureOf(report, calls)
  const pid = report.result
  let namespace: number | undefined
  try {
    namespace = openSync(`/proc/${pid}/ns/pid`, 'r')
    writeSync(control, '\0')
    return { pid, namespace, control }
  } catch (cause) {
    if (namespace !== undefined) closeSync(namespace)
    killAndWait(pid)
    throw cause
  }
}

/** Says which process an init passes signals on to. @param pid on the host */
export function tellInit({ control }: Pick<FirstProcess, 'control'>, pid: number): void {
  const inner = /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  writeSync(control, Buffer.from(Int32Array.of(Number(inner)).buffer))
}

/** @param reports they end when it is ready */
function throwFailure(
  reports: ReturnType<typeof readReports>,
  calls: readonly ProgramCall[],
): void {
  let isReady = false
  for (const report of reports) {
    if (report.result < 0) throw initStartError(failureOf(report, calls))
    isReady = true
  }
  if (!isReady) throw initStartError(new Error('it ended at once'))
}

/** The failure to start a pid 1. */
export function initStartError(cause: unknown): TsbuildError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new TsbuildError(`start pid 1 of a step: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'steps need a kernel that lets them make namespaces and mount /proc in them',
    cause,
  })
}
