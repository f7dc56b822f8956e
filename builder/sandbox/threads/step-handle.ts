import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { TsbuildError } from '#core'
import type { StepPipes } from '../process/step-io.ts'
import type { ExitStatus, RunningProcess } from '../spec/sandbox.ts'

/** How the handle of a started process awaits, signals and ends it. */
export interface StepControl {
  /** How it ended, once nothing is left of it. */
  readonly end: Promise<ExitStatus>
  /** Sends a signal to the process itself; a no-op once it has ended. */
  signal(name: NodeJS.Signals): void
  /** Kills it with everything that it started. */
  kill(): void
}

/** What a handle reads and writes. */
export type StepStreams = Pick<RunningProcess, 'stdin' | 'stdout' | 'stderr' | 'resize'>

/** The handle of a process, however it was started. */
export class StepHandle implements RunningProcess {
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  readonly resize: StepStreams['resize']
  readonly #control: StepControl

  /** Takes over the streams. */
  constructor({ stdin, stdout, stderr, resize }: StepStreams, control: StepControl) {
    this.#control = control
    this.stdin = stdin
    this.stdout = stdout
    this.stderr = stderr
    this.resize = resize
  }

  signal(name: NodeJS.Signals): void {
    this.#control.signal(name)
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
 * Waits until a step has a handle.
 * @param end of the step; it rejects first where the step cannot be started
 */
export async function handleOf(
  started: Promise<RunningProcess>,
  end: Promise<ExitStatus>,
): Promise<RunningProcess> {
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

/** Streams of a process that has pipes. Takes over their descriptors. @param end of the process */
export function pipeStreams(pipes: StepPipes, end: Promise<ExitStatus>): StepStreams {
  const stdin = pipes.stdin === undefined ? undefined : openPipe(pipes.stdin, 'writable')
  const onEnd = (): void => void stdin?.destroy()
  end.then(onEnd, onEnd)
  return {
    stdin,
    stdout: openPipe(pipes.stdout, 'readable'),
    stderr: openPipe(pipes.stderr, 'readable'),
    // There is no terminal.
    resize: () => undefined,
  }
}

function openPipe(fd: number, direction: 'readable' | 'writable'): Socket {
  const readable = direction === 'readable'
  const pipe = new Socket({ fd, readable, writable: !readable })
  // A process that has ended neither reads nor writes; its status says how it ended.
  pipe.on('error', () => undefined)
  return pipe
}
