import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { makeStopFlag, type StopFlag, setStopFlag } from '#core'
import { reviveFailure } from './work-failure.ts'
import type { WorkAnswer, WorkRequest } from './worker.ts'

/** What a worker thread starts with. */
export interface WorkThreadData {
  readonly stop: StopFlag
}

/**
 * The main thread's side of one worker thread, which does one task at a time. It is always asked to
 * stop and never terminated: that would abort the process while the thread is loading native code.
 */
export class WorkThread {
  readonly #stop = makeStopFlag()
  readonly #worker: Worker
  readonly #ended: Promise<unknown>
  #answer: PromiseWithResolvers<WorkAnswer> | undefined
  #isAlive = true

  constructor() {
    const workerData: WorkThreadData = { stop: this.#stop }
    // Loaded when needed: a build that finds everything in its cache has no threads.
    const threads = process.getBuiltinModule('node:worker_threads')
    this.#worker = new threads.Worker(new URL('./worker.js', import.meta.url), {
      workerData,
      env: {},
      // Walking a tree makes many short-lived objects: by default up to 192 MB of them before the
      // collector looks. Fewer stay in the CPU's cache, so it is faster, too.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
      // Every task closes what it opens.
      trackUnmanagedFds: false,
    })
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkAnswer) => this.#answer?.resolve(answer))
    this.#worker.on('error', (cause) => this.#lost(cause))
    this.#ended = once(this.#worker, 'exit').then(([code]) =>
      this.#lost(new Error(`a worker thread ended with code ${code}`)),
    )
  }

  /** False when the thread is gone, because it was closed or ran out of memory. */
  get isAlive(): boolean {
    return this.#isAlive
  }

  /**
   * Settles when the task has ended, also when `signal` asks it to stop.
   * @throws {TsbuildError} what the task threw, CANCELLED
   */
  async run(request: WorkRequest, signal: AbortSignal | undefined): Promise<unknown> {
    const answer = Promise.withResolvers<WorkAnswer>()
    const stop = (): void => this.stop()
    setStopFlag(this.#stop, false)
    signal?.addEventListener('abort', stop, { once: true })
    this.#answer = answer
    this.#worker.ref()
    this.#worker.postMessage(request)
    try {
      const done = await answer.promise
      if ('failure' in done) throw reviveFailure(done.failure)
      return done.value
    } finally {
      this.#answer = undefined
      this.#worker.unref()
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Asks the task to stop, if there is one. */
  stop(): void {
    setStopFlag(this.#stop, true)
  }

  /** Stops the task and ends the thread. */
  async close(): Promise<void> {
    this.stop()
    if (!this.#isAlive) return
    this.#worker.ref()
    this.#worker.postMessage('close')
    await this.#ended
  }

  #lost(cause: unknown): void {
    this.#isAlive = false
    this.#answer?.reject(cause)
  }
}
