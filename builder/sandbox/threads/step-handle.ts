import type { Readable, Writable } from 'node:stream'
import { TsbuildError } from '#core'
import type { ContainerMethods } from '../spec/no-container.ts'
import type { ExitStatus, RunningProcess, StartedProcess } from '../spec/sandbox.ts'
import type { ProcessStreams } from './process-streams.ts'

/** How the handle of a started process awaits, signals and ends it. */
export interface ProcessControl {
  readonly pid: number
  /** How it ended, once nothing is left of what ends with it. */
  readonly end: Promise<ExitStatus>
  /** Sends a signal to the process itself; a no-op once it has ended. */
  signal(signal: NodeJS.Signals | number): void
  /** Kills it with all that ends with it. */
  kill(): void
}

/** The handle of a process, however it was started. */
export class ProcessHandle implements StartedProcess {
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  readonly resize: ProcessStreams['resize']
  readonly pid: number
  readonly #control: ProcessControl

  /** Takes over the streams. */
  constructor({ stdin, stdout, stderr, resize }: ProcessStreams, control: ProcessControl) {
    this.#control = control
    this.pid = control.pid
    this.stdin = stdin
    this.stdout = stdout
    this.stderr = stderr
    this.resize = resize
  }

  signal(signal: NodeJS.Signals | number): void {
    this.#control.signal(signal)
  }

  wait(): Promise<ExitStatus> {
    return this.#control.end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control.kill()
    await this.#control.end.catch(() => undefined)
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy()
  }
}

/**
 * Waits until a process has a handle.
 * @param end of the process; it rejects first where it cannot be started
 */
export async function handleOf<T>(started: Promise<T>, end: Promise<ExitStatus>): Promise<T> {
  return await Promise.race([started, failureAt(end)])
}

async function failureAt(end: Promise<ExitStatus>): Promise<never> {
  await end
  throw new Error('a step ended before it was started')
}

/** The error for a step that was ended on request. */
export function cancelledStepError(): TsbuildError {
  return new TsbuildError('the step was cancelled', { code: 'CANCELLED' })
}

/** The handle of the process that a sandbox was made for. */
export function stepHandle(
  handle: ProcessHandle,
  own: ContainerMethods & Pick<RunningProcess, 'exec'>,
): RunningProcess {
  return Object.assign(handle, own)
}
