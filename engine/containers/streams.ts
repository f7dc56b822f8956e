import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { StartedProcess } from '#builder/sandbox'

/** Milliseconds in which nothing comes from what has ended. */
const QUIET = 50

/** Which output of a container. */
export type OutputName = 'stdout' | 'stderr'

/** Takes output as it comes; the container waits while a promise that it returns is pending. */
export type OutputSink = (stream: OutputName, data: Uint8Array) => void | Promise<void>

/** Somebody who sees the output of a container, and may write its input. */
export interface Attachment {
  readonly sink: OutputSink
  /** Called when there will be no more output. */
  readonly onEnd: () => void
}

/**
 * The input and output of a container as others are connected with it, before it runs and over restarts: output goes
 * to all that are attached, input comes from each of them.
 */
export class Streams {
  readonly #attached = new Set<Attachment>()
  #delivered = 0
  /** Pieces that somebody has not taken yet. */
  #pending = 0
  #input = Promise.withResolvers<Writable | undefined>()

  /** Dispose of it to leave. */
  attach(attachment: Attachment): Disposable {
    this.#attached.add(attachment)
    return { [Symbol.dispose]: () => void this.#attached.delete(attachment) }
  }

  /** The input of the process that runs, or of the next one. `undefined`: it is empty. */
  input(): Promise<Writable | undefined> {
    return this.#input.promise
  }

  /** Connects a process. @param input `undefined`: it is empty */
  connect(input: Writable | undefined): void {
    // Who writes to a process that has ended learns it from its end.
    input?.on('error', () => undefined)
    this.#input.resolve(input)
  }

  /**
   * Waits for the end of output, also where a process that goes on holds it open: then until nothing more comes, and
   * all of it was taken.
   */
  async settled(outputs: readonly Promise<void>[]): Promise<void> {
    let isEnded = false
    const ended = Promise.all(outputs).then(() => {
      isEnded = true
    })
    for (let before = -1; !isEnded && (before !== this.#delivered || this.#pending > 0); ) {
      before = this.#delivered
      await Promise.race([ended, delay(QUIET)])
    }
  }

  /** Passes on what a process writes. @returns when the output has ended */
  async forward(output: Readable, stream: OutputName, log: OutputSink): Promise<void> {
    try {
      for await (const data of output) {
        this.#delivered++
        this.#pending++
        const waits = this.#deliver(stream, data, log)
        if (waits.length > 0) await Promise.all(waits)
        this.#pending--
      }
    } catch {
      // A terminal whose last writer has gone fails to be read, and a sandbox that broke reports that itself.
    }
  }

  /**
   * Passes on what a process writes until it has ended, and lets go of what others still hold open.
   * @returns its exit code. @throws as `StartedProcess.wait` does
   */
  async serve(process: StartedProcess, log: OutputSink = () => undefined): Promise<number> {
    const outputs = [
      this.forward(process.stdout, 'stdout', log),
      this.forward(process.stderr, 'stderr', log),
    ]
    try {
      const { exitCode } = await process.wait()
      await this.settled(outputs)
      return exitCode
    } finally {
      for (const output of [process.stdout, process.stderr]) output.destroy()
    }
  }

  /** The process has ended: those who are attached leave, and the next process has another input. */
  disconnect(): void {
    this.#input.resolve(undefined)
    this.#input = Promise.withResolvers()
    for (const { onEnd } of this.#attached) onEnd()
    this.#attached.clear()
  }

  #deliver(stream: OutputName, data: Uint8Array, log: OutputSink): readonly Promise<void>[] {
    const all = [log(stream, data), ...[...this.#attached].map(({ sink }) => sink(stream, data))]
    return all.filter((one): one is Promise<void> => one !== undefined)
  }
}
