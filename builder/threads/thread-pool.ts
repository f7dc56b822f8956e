import { TsbuildError, throwIfCancelled } from '#core'
import { makeRing, type Ring, resetRing } from './ring.ts'
import { SmallTaskRunner, type SmallTasks } from './small-tasks.ts'
import type { TaskInput, TaskMap, TaskOutput } from './task-map.ts'
import { TaskThread, type ThreadOptions } from './task-thread.ts'

/** What a pool of threads is made of. */
export interface ThreadPoolOptions<T extends TaskMap> extends ThreadOptions {
  /** How many threads are started ahead at most. */
  readonly size: number
  /** What is done without a thread. */
  readonly small: SmallTasks<T>
  /** Runs work when one of `size` places is free. */
  readonly schedule: <R>(work: () => Promise<R>) => Promise<R>
  /** The same for work on bytes that come from elsewhere, which has places of its own. */
  readonly scheduleStream: <R>(work: () => Promise<R>) => Promise<R>
}

/**
 * Worker threads of one kind, each with one task at a time; each is started when it is needed. Small tasks
 * need none: the calling thread does them.
 */
export class ThreadPool<T extends TaskMap> implements AsyncDisposable {
  readonly #options: ThreadPoolOptions<T>
  readonly #small: SmallTaskRunner<T>
  readonly #threads: TaskThread<T>[] = []
  readonly #idle: TaskThread<T>[] = []
  readonly #rings: Ring[] = []
  #isClosed = false

  constructor(options: ThreadPoolOptions<T>) {
    this.#options = options
    this.#small = new SmallTaskRunner(options.small)
  }

  /** Starts `count` threads, at most as many as there are places: a thread takes a while to come up. */
  warmUp(count: number): void {
    if (this.#isClosed) return
    while (this.#threads.length < Math.min(count, this.#options.size)) {
      const thread = this.#addThread()
      thread.start()
      this.#idle.push(thread)
    }
  }

  /** Whether a task is done without a thread. */
  isSmall<K extends keyof T & string>(task: K, input: TaskInput<T[K]>): boolean {
    return this.#small.takes(task, input)
  }

  /**
   * Performs a task in the next free thread, or here when it is small. When this throws CANCELLED, the task has ended.
   * @throws {TsbuildError} what the task threw, CANCELLED, PEER_GONE
   */
  run<K extends keyof T & string>(
    task: K,
    input: TaskInput<T[K]>,
    signal: AbortSignal | undefined,
  ): Promise<TaskOutput<T[K]>> {
    return this.#options.schedule(() => this.runBeside(task, input, signal))
  }

  /**
   * Performs a task at once, in a thread that takes no place, because a task that has a place waits for
   * it: two such pairs might otherwise each wait for a place.
   */
  async runBeside<K extends keyof T & string>(
    task: K,
    input: TaskInput<T[K]>,
    signal: AbortSignal | undefined,
  ): Promise<TaskOutput<T[K]>> {
    const { doing } = this.#options
    throwIfCancelled(signal, doing)
    if (this.#isClosed) throw new TsbuildError(`${doing}: cancelled`, { code: 'CANCELLED' })
    if (this.#small.takes(task, input)) return this.#small.run(task, input, { doing, signal })
    const thread = this.#idle.pop() ?? this.#addThread()
    try {
      return await thread.run(task, input, { signal })
    } finally {
      this.#idle.push(thread)
    }
  }

  /**
   * Runs something with a ring. Rings are kept: memory that threads share is not on the heap of any
   * thread, so garbage collection does not free it in time.
   */
  async withRing<R>(use: (ring: Ring) => Promise<R>): Promise<R> {
    const ring = this.#rings.pop() ?? makeRing()
    try {
      return await use(ring)
    } finally {
      resetRing(ring)
      this.#rings.push(ring)
    }
  }

  /**
   * Runs work on bytes that come from elsewhere when one of the places for such work is free. They may take
   * long to come, and tasks that have what they need do not wait for them.
   */
  stream<R>(work: () => Promise<R>): Promise<R> {
    return this.#options.scheduleStream(work)
  }

  /** Stops all tasks, and waits for the end of the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all([this.#small.ended(), ...this.#threads.map((thread) => thread.close())])
  }

  #addThread(): TaskThread<T> {
    const thread = new TaskThread<T>(this.#options)
    this.#threads.push(thread)
    return thread
  }
}
