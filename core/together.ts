import { throwIfCancelled } from './errors.ts'

/** How tasks are done together. */
export interface TogetherOptions {
  /** How many run at a time, in their order; default: all of them. */
  readonly atOnce?: number
}

/**
 * Runs tasks concurrently. The first failure aborts the others through the signal that they get, and is
 * thrown when all that were started have ended, so that no task outlives the call.
 */
export async function together<T extends readonly unknown[]>(
  tasks: { readonly [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> },
  outer?: AbortSignal,
  { atOnce = tasks.length }: TogetherOptions = {},
): Promise<T> {
  const stop = new AbortController()
  const signal = outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal])
  const results: unknown[] = Array.from(tasks)
  const waiting = tasks.entries()
  const takeTurns = async (): Promise<void> => {
    for (const [index, task] of waiting) {
      if (index >= atOnce) throwIfCancelled(signal, 'work together')
      results[index] = await task(signal)
    }
  }
  const work = Array.from({ length: Math.min(atOnce, tasks.length) }, takeTurns)
  const all = Promise.all(work)
  await all.catch((reason: unknown) => stop.abort(reason))
  await Promise.allSettled(work)
  await all
  return results as unknown as T
}
