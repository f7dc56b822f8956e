import type { ProcessEnd } from '#builder/linux'
import { type SharedChild, signalChild } from '../children/shared-child.ts'
import type { ExecOptions, ExitStatus } from '../spec/sandbox.ts'
import { streamsOf } from '../threads/process-streams.ts'
import { cancelledStepError, handleOf, ProcessHandle } from '../threads/step-handle.ts'
import { signalProcess } from './processes/descendants.ts'
import type { StartedProgram } from './program-run.ts'

/** How a thread is asked to run a program to its end. */
export interface RunControl<T extends StartedProgram> {
  readonly signal: AbortSignal
  readonly onUpdate: (started: T) => void
}

/** A process that runs. */
export interface Begun<T extends StartedProgram> {
  readonly handle: ProcessHandle
  readonly program: T
}

/** A process in place that a thread waits for, from its request to the end of what it has started. */
export class InPlaceProcess<T extends StartedProgram = StartedProgram> {
  readonly #abort = new AbortController()
  readonly #started = Promise.withResolvers<Begun<T>>()
  #child: SharedChild | undefined

  /** How it ended, once nothing is left of it. Rejections reach only those who await it. */
  readonly end: Promise<ExitStatus>

  /** @param run asks for it */
  constructor(
    { signal }: Pick<ExecOptions, 'signal'>,
    run: (control: RunControl<T>) => Promise<ProcessEnd>,
  ) {
    this.end = this.#runToEnd(signal, run)
    this.end.catch(() => undefined)
  }

  /** The handle, once the process runs. @throws what `end` throws before */
  async started(): Promise<Begun<T>> {
    return await handleOf(this.#started.promise, this.end)
  }

  /** Ends the program, and with it what it has started; `end` then rejects with CANCELLED. */
  cancel(): void {
    this.#abort.abort()
    this.#kill()
  }

  #kill(): void {
    if (this.#child !== undefined) signalChild(this.#child, 'SIGKILL', signalProcess)
  }

  async #runToEnd(
    outer: AbortSignal | undefined,
    run: (control: RunControl<T>) => Promise<ProcessEnd>,
  ): Promise<ExitStatus> {
    const onAbort = (): void => this.cancel()
    outer?.addEventListener('abort', onAbort)
    const { signal } = this.#abort
    try {
      if (outer?.aborted) this.cancel()
      const ended = await run({ signal, onUpdate: (program) => this.#begin(program) })
      if (signal.aborted) throw cancelledStepError()
      return statusOf(ended)
    } catch (cause) {
      throw signal.aborted ? cancelledStepError() : cause
    } finally {
      outer?.removeEventListener('abort', onAbort)
    }
  }

  #begin(program: T): void {
    this.#child = program
    const control = {
      end: this.end,
      signal: (name: NodeJS.Signals) => signalChild(program, name),
      kill: () => this.#kill(),
    }
    const handle = new ProcessHandle(streamsOf(program.io, this.end), control)
    this.#started.resolve({ handle, program })
    if (this.#abort.signal.aborted) this.#kill()
  }
}

/** No control group counts what a process in place uses. */
function statusOf({ exitCode, signal, used }: ProcessEnd): ExitStatus {
  return { exitCode, ...(signal === undefined ? {} : { signal }), used }
}
