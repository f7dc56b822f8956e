import type { Piscina } from 'piscina'
import { throwIfCancelled } from '#core'
import { reviveFailure, type WorkFailure } from './work-failure.ts'
import type { WorkTasks } from './worker.ts'

type Answer<T> = { readonly value: T } | { readonly failure: WorkFailure }

/** Worker threads for bulk file work; none is started before the first task. */
export class WorkPool implements AsyncDisposable {
  readonly #threads: number
  #pool: Promise<Piscina> | undefined
  #stopped: Promise<void> | undefined

  constructor(threads: number) {
    this.#threads = threads
  }

  /**
   * Aborting `signal` ends the whole pool, since a task cannot be asked to stop; when this throws
   * CANCELLED, its thread is gone and writes nothing any more.
   * @throws {TsbuildError} what the task threw, CANCELLED
   */
  async run<K extends keyof WorkTasks>(
    name: K,
    task: Parameters<WorkTasks[K]>[0],
    signal: AbortSignal | undefined,
  ): Promise<Awaited<ReturnType<WorkTasks[K]>>> {
    this.#pool ??= startPool(this.#threads)
    const pool = await this.#pool
    throwIfCancelled(signal, 'work on files')
    const stop = (): void => void this.#stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const answer: Answer<Awaited<ReturnType<WorkTasks[K]>>> = await pool.run({ name, task })
      if ('failure' in answer) throw reviveFailure(answer.failure)
      return answer.value
    } catch (cause) {
      if (signal?.aborted === true) await this.#stop()
      throwIfCancelled(signal, 'work on files')
      throw cause
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }

  #stop(): Promise<void> {
    this.#stopped ??= this.#pool?.then((pool) => pool.destroy())
    return this.#stopped ?? Promise.resolve()
  }
}

async function startPool(threads: number): Promise<Piscina> {
  const { Piscina } = await import('piscina')
  return new Piscina({
    filename: new URL('./worker.js', import.meta.url).href,
    name: 'work',
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 10_000,
    // Walking a tree makes many short-lived objects; with the default of 16 the collector takes a tenth.
    resourceLimits: { maxYoungGenerationSizeMb: 48 },
    // Tasks are synchronous file work: two at a time in a thread would only wait for each other.
    concurrentTasksPerWorker: 1,
  })
}
