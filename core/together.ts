/**
 * Does tasks side by side. The first failure stops the others through the signal they are given, and
 * is thrown when all have ended: nothing goes on behind the caller's back.
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
