import type { Piscina } from 'piscina'
import { reviveFailure, type WorkFailure } from './work-failure.ts'
import type { WorkTasks } from './worker.ts'

type Answer<T> = { readonly value: T } | { readonly failure: WorkFailure }

/** Worker threads for bulk file work; none is started before the first task. */
export class WorkPool implements AsyncDisposable {
  readonly #threads: number
  #pool: Promise<Piscina> | undefined

  constructor(threads: number) {
    this.#threads = threads
  }

  /** @throws {TsbuildError} what the task threw, CANCELLED after an abort */
  async run<K extends keyof WorkTasks>(
    name: K,
    task: Parameters<WorkTasks[K]>[0],
  ): Promise<Awaited<ReturnType<WorkTasks[K]>>> {
    this.#pool ??= startPool(this.#threads)
    const pool = await this.#pool
    const answer: Answer<Awaited<ReturnType<WorkTasks[K]>>> = await pool.run({ name, task })
    if ('failure' in answer) throw reviveFailure(answer.failure)
    return answer.value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#pool)?.destroy()
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
    // Tasks are synchronous file work: two at a time in a thread would only wait for each other.
    concurrentTasksPerWorker: 1,
  })
}
