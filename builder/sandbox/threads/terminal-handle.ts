import { PassThrough, type Readable, type Writable } from 'node:stream'
import type { ReadStream } from 'node:tty'
import { setWindowSize, type WindowSize } from '#builder/linux'
import type { StepTerminal } from '../process/terminal-io.ts'
import type { ExitStatus, RunningProcess } from '../spec/sandbox.ts'
import type { StepControl } from './step-handle.ts'

/** The handle of a process that has a terminal. */
export class TerminalHandle implements RunningProcess {
  readonly stdout: Readable
  readonly stderr: Readable
  readonly #terminal: ReadStream
  readonly #master: number
  readonly #control: StepControl

  /** Takes over the descriptor. */
  constructor({ master }: StepTerminal, control: StepControl) {
    const { ReadStream } = process.getBuiltinModule('node:tty')
    // Not a socket: that takes no terminal.
    this.#terminal = new ReadStream(master)
    this.#master = master
    this.#control = control
    this.stdout = this.#terminal.pipe(new PassThrough())
    this.stderr = new PassThrough().end()
    // EIO: the last process that has the terminal has closed it.
    this.#terminal.on('error', () => undefined)
    this.#terminal.on('close', () => (this.stdout as PassThrough).end())
  }

  get stdin(): Writable {
    return this.#terminal
  }

  resize(size: WindowSize): void {
    if (!this.#terminal.destroyed) setWindowSize(this.#master, size)
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
    this.#terminal.destroy()
    this.stdout.destroy()
  }
}
