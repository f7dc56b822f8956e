import { Collector, openStore, type SpaceLimits, sumOfBytes } from '#cache'

/** Milliseconds: what is not measured by then is measured after the next build. */
const MEASURING = 1000
/** Milliseconds: what is not removed by then, the next process removes. */
const REMOVING = 1500

/**
 * Brings the store at `root` within its limits, in bounded time.
 * @returns bytes that were freed
 * @throws {TsbuildError} STORE_INVALID, IO_FAILED, NO_SPACE
 */
export async function enforceLimits(
  root: string,
  limits: SpaceLimits,
  stop: AbortSignal,
): Promise<number> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(MEASURING)])
  await using store = openStore(root)
  const gone = await new Collector(store).enforce(limits, { signal })
  if (gone.length === 0) return 0
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, REMOVING)
  // What is left then is stopped when the store is closed.
  await Promise.race([store.parts.presence.discarded(), late])
  clearTimeout(timer)
  return sumOfBytes(gone)
}
