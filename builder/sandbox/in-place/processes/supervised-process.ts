import { Buffer } from 'node:buffer'
import { closeSync, readSync, writeSync } from 'node:fs'
import {
  awaitReadable,
  failureOf,
  makePipe,
  type Pipe,
  type ProcessEnd,
  processEndOf,
  readReports,
  SIGNAL_INFO_SIZE,
  type SystemError,
  USAGE_SIZE,
} from '#builder/linux'
import { TsbuildError } from '#core'
import { endSignals, type SharedChild, shareChild } from '../../children/shared-child.ts'
import { startProgram } from '../../process/start-program.ts'
import type { Io } from '../../process/step-process.ts'
import type { BecomingProgram } from '../../process/step-program.ts'
import { findProcess, killAdopted, killBelow, signalProcess } from './descendants.ts'
import { type SupervisorProgram, supervisorProgram } from './supervisor-program.ts'

/** What is started under a supervisor. */
export interface SupervisedOptions {
  readonly program: Omit<BecomingProgram, 'last'>
  /** Descriptor of the working directory. */
  readonly cwd: number
  /** Descriptor of a network namespace; absent: the builder's. */
  readonly network: number | undefined
  readonly io: Io
  /** Paths of files that are removed before the processes end, also when the builder dies. */
  readonly secrets: readonly string[]
}

/** Milliseconds after which it is looked at whether the program has ended unseen. */
const PATIENCE = 500

/** A program that runs, with everything that it starts. For the thread that has started it. */
export class SupervisedProcess {
  readonly child: SharedChild
  readonly #supervisor: number
  /** When the supervisor was started. */
  readonly #since: number
  readonly #pipes: SupervisorPipes

  /** @throws {SystemError} of the call that failed on the way to the program */
  constructor(options: SupervisedOptions) {
    this.#pipes = { control: makePipe(), hold: makePipe(), status: makePipe() }
    const { program, supervisor, report } = start(options, this.#pipes)
    this.#supervisor = supervisor
    this.#since = findProcess(supervisor)?.start ?? 0
    const { pid, failure } = outcomeOf(report, program)
    if (pid !== undefined && failure === undefined) {
      this.child = shareChild(pid)
      return
    }
    this.#endAll()
    throw failure ?? new Error('the step ended before its program was started')
  }

  /**
   * Blocks the calling thread until the program has ended, and kills what it has left behind.
   * @throws {TsbuildError} PEER_GONE when the step has killed its supervisor
   */
  wait(): ProcessEnd {
    this.#awaitStatus()
    const said = Buffer.alloc(SIGNAL_INFO_SIZE + USAGE_SIZE)
    const length = readSync(this.#pipes.status.readEnd, said)
    endSignals(this.child)
    const { signal } = this.#endAll()
    if (length === said.length && signal === undefined) return processEndOf(said)
    throw new TsbuildError('the step has killed the process that supervises it', {
      code: 'PEER_GONE',
      hint: 'a step in place must leave processes alone that it has not started',
    })
  }

  /** The step may have stopped the watcher, which then does not say that the program has ended. */
  #awaitStatus(): void {
    const { pid } = this.child
    let signal: NodeJS.Signals = 'SIGCONT'
    while (!awaitReadable(this.#pipes.status.readEnd, PATIENCE)) {
      const program = findProcess(pid)
      // Without the watcher it would have another parent, and the pipe would be closed.
      const others = [process.pid, this.#supervisor]
      if (program?.hasEnded !== true || others.includes(program.parent)) continue
      signalProcess(program.parent, signal)
      signal = 'SIGKILL'
    }
  }

  #endAll(): ProcessEnd {
    const { control, hold, status } = this.#pipes
    closeSync(hold.writeEnd)
    closeSync(status.readEnd)
    try {
      writeSync(control.writeEnd, '\0\0')
    } catch {
      // The step has killed the supervisor, too.
    }
    const end = killBelow(this.#supervisor)
    closeSync(control.writeEnd)
    if (end.signal !== undefined) killAdopted(this.#since)
    return end
  }
}

interface SupervisorPipes {
  readonly control: Pipe
  readonly hold: Pipe
  readonly status: Pipe
}

interface Started {
  readonly supervisor: number
  readonly program: SupervisorProgram
  /** Read end of its reports. */
  readonly report: number
}

/** Starts the supervisor; the ends of the pipes that are its are closed here in any case. */
function start(
  { program, cwd, network, io, secrets }: SupervisedOptions,
  pipes: SupervisorPipes,
): Started {
  const report = makePipe()
  const theirs = {
    ...{ control: pipes.control.readEnd, hold: pipes.hold.readEnd },
    ...{ status: pipes.status.writeEnd, report: report.writeEnd },
  }
  const descriptors = { ...theirs, cwd, network }
  const made = supervisorProgram(program, descriptors, secrets)
  const { stdin, stdout, stderr } = io.theirs
  try {
    const supervisor = startProgram(made.calls, {
      name: 'supervisor',
      report: report.writeEnd,
      standard: [stdin, stdout, stderr],
      inherit: Object.values(descriptors).filter((one) => one !== undefined),
    })
    return { supervisor, program: made, report: report.readEnd }
  } catch (cause) {
    const ours = [pipes.control.writeEnd, pipes.hold.writeEnd, pipes.status.readEnd]
    for (const descriptor of [...ours, report.readEnd]) closeSync(descriptor)
    throw cause
  } finally {
    for (const descriptor of Object.values(theirs)) closeSync(descriptor)
  }
}

interface Outcome {
  readonly pid: number | undefined
  readonly failure: SystemError | undefined
}

/** Reads and closes the reports, which end with the start of the program. */
function outcomeOf(descriptor: number, { calls, programIndex }: SupervisorProgram): Outcome {
  let pid: number | undefined
  let failure: SystemError | undefined
  for (const report of readReports(descriptor)) {
    if (report.result < 0) failure ??= failureOf(report, calls)
    else if (report.index === programIndex) pid = report.result
  }
  closeSync(descriptor)
  return { pid, failure }
}
