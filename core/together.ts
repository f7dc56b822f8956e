/**
 * Runs tasks concurrently. The first failure aborts the others through the signal that they get, and is
 * thrown when all have ended, so that no task outlives the call.
 */
export async function together<T extends readonly unknown[]>(
  tasks: { readonly [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> },
  outer?: AbortSignal,
): Promise<T> {
  const stop = new AbortController()
  const signal = outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal])
  const work = tasks.map(async (task) => task(signal))
  const all = Promise.all(work)
  await all.catch((reason: unknown) => stop.abort(reason))
  await Promise.allSettled(work)
  return (await all) as unknown as T
}
