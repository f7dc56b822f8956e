import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { type SharedChild, signalChild } from '../process/shared-child.ts'
import type { Launched } from '../process/step-process.ts'
import type { ExitStatus, RunningProcess } from '../spec/sandbox.ts'

/** How the handle of a started process awaits and ends it. */
export interface StepControl {
  /** How it ended, once nothing is left of it. */
  readonly end: Promise<ExitStatus>
  /** Kills it with everything that it started. */
  kill(): void
}

/** The handle of a process that a launcher has started. */
export class StepHandle implements RunningProcess {
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  readonly #control: StepControl
  readonly #child: SharedChild

  /** Takes over the descriptors. */
  constructor(launched: Launched, control: StepControl) {
    const { stdin, stdout, stderr } = launched
    this.#child = launched
    this.#control = control
    this.stdin = stdin === undefined ? undefined : openPipe(stdin, 'writable')
    this.stdout = openPipe(stdout, 'readable')
    this.stderr = openPipe(stderr, 'readable')
    const onEnd = (): void => void this.stdin?.destroy()
    control.end.then(onEnd, onEnd)
  }

  signal(name: NodeJS.Signals): void {
    signalChild(this.#child, name)
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

function openPipe(fd: number, direction: 'readable' | 'writable'): Socket {
  const readable = direction === 'readable'
  const pipe = new Socket({ fd, readable, writable: !readable })
  // A process that has ended neither reads nor writes; its status says how it ended.
  pipe.on('error', () => undefined)
  return pipe
}
