import { makeRing, type Ring, resetRing } from '#builder/layer'
import { TsbuildError, throwIfCancelled } from '#core'
import { type Schedule, scheduler } from './schedule.ts'
import { WorkThread } from './work-thread.ts'
import type { WorkTasks } from './worker.ts'

/** Worker threads for bulk file work; none is started before something needs it. */
export class WorkPool implements AsyncDisposable {
  readonly #size: number
  readonly #schedule: Schedule
  readonly #threads: WorkThread[] = []
  readonly #idle: WorkThread[] = []
  readonly #rings: Ring[] = []
  #isClosed = false

  constructor(size: number) {
    this.#size = size
    this.#schedule = scheduler(size)
  }

  /** Starts `count` threads, or as many as there may be: a thread takes a while to come up. */
  warmUp(count: number): void {
    if (this.#isClosed) return
    while (this.#threads.length < Math.min(count, this.#size)) this.#idle.push(this.#startThread())
  }

  /**
   * Does a task in the next free thread. When this throws CANCELLED, nothing writes any more.
   * @throws {TsbuildError} what the task threw, CANCELLED
   */
  run<K extends keyof WorkTasks>(
    name: K,
    task: Parameters<WorkTasks[K]>[0],
    signal: AbortSignal | undefined,
  ): Promise<Awaited<ReturnType<WorkTasks[K]>>> {
    return this.#schedule(() => this.runBeside(name, task, signal))
  }

  /**
   * Does at once, in a thread that is not counted, what a task that has a place works together with:
   * two that wait for each other might never both get one.
   */
  async runBeside<K extends keyof WorkTasks>(
    name: K,
    task: Parameters<WorkTasks[K]>[0],
    signal: AbortSignal | undefined,
  ): Promise<Awaited<ReturnType<WorkTasks[K]>>> {
    throwIfCancelled(signal, 'work on files')
    if (this.#isClosed) throw new TsbuildError('work on files: cancelled', { code: 'CANCELLED' })
    const thread = this.#idle.pop() ?? this.#startThread()
    try {
      const value = await thread.run({ name, task }, signal)
      return value as Awaited<ReturnType<WorkTasks[K]>>
    } catch (cause) {
      throwIfCancelled(signal, 'work on files')
      throw cause
    } finally {
      if (thread.isAlive) this.#idle.push(thread)
    }
  }

  /**
   * Runs something with a ring. They are kept: memory that threads share is not on the heap of any, so
   * none of them collects it in time.
   */
  async withRing<T>(use: (ring: Ring) => Promise<T>): Promise<T> {
    const ring = this.#rings.pop() ?? makeRing()
    try {
      return await use(ring)
    } finally {
      resetRing(ring)
      this.#rings.push(ring)
    }
  }

  /** Stops what is under way, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }

  #startThread(): WorkThread {
    const thread = new WorkThread()
    this.#threads.push(thread)
    return thread
  }
}
