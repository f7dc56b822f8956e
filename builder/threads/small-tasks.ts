import { setImmediate as nextTurn } from 'node:timers/promises'
import { throwIfCancelled } from '#core'
import type { TaskInput, TaskMap, TaskOutput } from './task-map.ts'

/** Tasks that are done without a thread where they are small. */
export interface SmallTasks<T extends TaskMap> {
  /** Gives the module that the threads serve. */
  readonly load: () => Promise<T>
  /** Whether a task is small: it is done within milliseconds. Others never are. */
  readonly isSmall: { readonly [K in keyof T]?: (input: TaskInput<T[K]>) => boolean }
  /** Turns what a task threw into what its caller gets, as the threads do. */
  readonly toError: (failure: unknown) => unknown
}

/** Does small tasks in the calling thread, each in a turn of its event loop. */
export class SmallTaskRunner<T extends TaskMap> {
  readonly #tasks: SmallTasks<T>
  readonly #running = new Set<Promise<unknown>>()

  constructor(tasks: SmallTasks<T>) {
    this.#tasks = tasks
  }

  /** Whether this task is done here. */
  takes<K extends keyof T & string>(task: K, input: TaskInput<T[K]>): boolean {
    return this.#tasks.isSmall[task]?.(input) === true
  }

  /** @throws {TsbuildError} what the task threw; CANCELLED when it has not begun */
  async run<K extends keyof T & string>(
    task: K,
    input: TaskInput<T[K]>,
    { doing, signal }: { readonly doing: string; readonly signal: AbortSignal | undefined },
  ): Promise<TaskOutput<T[K]>> {
    const tasks = await this.#tasks.load()
    // Signals and other steps have their turn between two tasks.
    await nextTurn()
    throwIfCancelled(signal, doing)
    const done = this.#perform(tasks[task], input)
    this.#running.add(done)
    try {
      return (await done) as TaskOutput<T[K]>
    } finally {
      this.#running.delete(done)
    }
  }

  /** Waits for tasks that have begun. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  async #perform<K extends keyof T>(task: T[K], input: TaskInput<T[K]>): Promise<unknown> {
    try {
      return await task(input, () => undefined)
    } catch (failure) {
      throw this.#tasks.toError(failure)
    }
  }
}
