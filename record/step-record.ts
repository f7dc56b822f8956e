import { Buffer } from 'node:buffer'
import type { BuildFolders, StepLog } from '#cache'
import { Redactor } from './redactor.ts'

/** What is kept of a step of this build. */
export interface KeptStep {
  /** Of the build, and of the step in it. */
  readonly build: string
  readonly step: string
  /** Whether there is output of it. */
  readonly hasLog: boolean
  /** Whether it is kept what it has left. */
  readonly hasLayer: boolean
}

type Stream = 'stdout' | 'stderr'

const NEWLINE = 0x0a

/** Keeps the output of a step that is executed, without its secrets, and what it leaves when it fails. */
export class StepRecord implements Disposable {
  readonly #builds: BuildFolders
  readonly #step: string
  readonly #log: StepLog
  readonly #redactors: Readonly<Record<Stream, Redactor>>
  #last: { readonly stream: Stream; readonly isWhole: boolean } | undefined

  constructor(
    builds: BuildFolders,
    step: { readonly id: string; readonly log: StepLog },
    secrets: readonly Uint8Array[],
  ) {
    this.#builds = builds
    this.#step = step.id
    this.#log = step.log
    this.#redactors = { stdout: new Redactor(secrets), stderr: new Redactor(secrets) }
  }

  /** Takes a piece of output. */
  output(stream: Stream, data: Uint8Array): void {
    this.#write(stream, this.#redactors[stream].push(data))
  }

  /** Keeps a directory with what the step has left, where it can be had, and says what there is of it. */
  async keep(changes: (() => Promise<string>) | undefined): Promise<KeptStep> {
    const hasLayer = changes !== undefined && (await this.#keepLayer(changes))
    return {
      build: this.#builds.id,
      step: this.#step,
      hasLog: this.#last !== undefined,
      hasLayer,
    }
  }

  /** To be called when the step has ended. */
  [Symbol.dispose](): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#write(stream, this.#redactors[stream].end())
    }
    this.#log[Symbol.dispose]()
  }

  /** Best effort: the failure that matters is the step's. */
  async #keepLayer(changes: () => Promise<string>): Promise<boolean> {
    try {
      return this.#builds.keep(this.#step, await changes())
    } catch {
      return false
    }
  }

  /** A line that one stream has begun is ended before the other one goes on. */
  #write(stream: Stream, data: Uint8Array): void {
    if (data.length === 0) return
    const last = this.#last
    if (last !== undefined && last.stream !== stream && !last.isWhole) {
      this.#log.write(Buffer.from([NEWLINE]))
    }
    this.#last = { stream, isWhole: data.at(-1) === NEWLINE }
    this.#log.write(data)
  }
}
