import { closeSync, openSync, writeSync } from 'node:fs'
import {
  type CallReport,
  failureOf,
  makeCallProgram,
  makePipe,
  namespaceFlags,
  type ProgramCall,
  RECORD,
  RECORD_SIZE,
  readReports,
  spawnProcess,
  waitForExit,
} from '#builder/linux'
import { NAMESPACE_CALLS } from './trial-calls.ts'

/** Descriptors of the process. */
const CONTROL = 0
const REPORT = 1

const HERE: ProgramCall = { call: 'write', args: [REPORT, RECORD, RECORD_SIZE] }
const WAIT: ProgramCall = { call: 'read', args: [CONTROL, [0], 1], endsAtZero: true }

const CALLS: readonly ProgramCall[] = [
  { call: 'unshare', args: [namespaceFlags('user')] },
  HERE,
  WAIT,
  ...NAMESPACE_CALLS,
  HERE,
  WAIT,
]

/**
 * A child process in a new user namespace, which lives until it is disposed of. The namespace has no ids
 * yet: writing them is up to a process outside, so to this one.
 */
export class NamespaceHolder implements Disposable {
  readonly pid: number
  readonly #control: number
  readonly #report: number
  readonly #reports: Generator<CallReport, void>

  /** @throws {SystemError} when the kernel refuses */
  constructor() {
    const control = makePipe()
    const report = makePipe()
    this.#control = control.writeEnd
    this.#report = report.readEnd
    try {
      this.pid = startHolder(control.readEnd, report.writeEnd)
    } catch (cause) {
      this.#close()
      throw cause
    } finally {
      closeSync(control.readEnd)
      closeSync(report.writeEnd)
    }
    this.#reports = readReports(this.#report)
    try {
      this.#awaitReport()
    } catch (cause) {
      this[Symbol.dispose]()
      throw cause
    }
  }

  /** Tries what steps need in the namespace, once it has ids. @throws {SystemError} of what is refused */
  tryNamespaces(): void {
    writeSync(this.#control, '\0')
    this.#awaitReport()
  }

  /** @returns a descriptor of the namespace */
  open(): number {
    return openSync(`/proc/${this.pid}/ns/user`, 'r')
  }

  [Symbol.dispose](): void {
    this.#close()
    waitForExit(this.pid)
  }

  #awaitReport(): void {
    const { value } = this.#reports.next()
    if (value === undefined) throw new Error('a process in a new user namespace ended at once')
    if (value.result < 0) throw failureOf(value, CALLS)
  }

  /** The process ends with its control pipe. */
  #close(): void {
    closeSync(this.#control)
    closeSync(this.#report)
  }
}

function startHolder(control: number, report: number): number {
  const program = makeCallProgram(CALLS, { report: REPORT })
  try {
    return spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: ['namespace'],
      env: [],
      stdin: control,
      stdout: report,
    })
  } finally {
    closeSync(program)
  }
}
