import { breakRing, fillRing, originalFailure, type Ring, streamRing } from '#builder/threads'
import type { Bytes, TransferOptions } from '#core'
import type { FilesPool } from './files-pool.ts'

/** Has a thread write to a ring, or read from it. */
type Perform<T> = (ring: Ring, signal: AbortSignal) => Promise<T>

/**
 * What a thread writes. The thread is at work from the first piece on; it ends when the bytes do, or nobody reads on.
 * @throws what the thread fails with
 */
export async function* bytesFromThread(
  pool: FilesPool,
  perform: Perform<void>,
  { signal }: TransferOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const opened = Promise.withResolvers<Ring>()
  const done = Promise.withResolvers<void>()
  const failures: unknown[] = []
  const work = pool.stream(() =>
    pool.withRing(async (ring) => {
      opened.resolve(ring)
      const performed = perform(ring, stopped).finally(() => breakRing(ring))
      await performed.catch((cause: unknown) => failures.push(cause))
      // The ring is used again, so its reader must be done, too.
      await done.promise
    }),
  )
  const ring = await opened.promise
  let isWhole = false
  try {
    yield* streamRing(ring)
    isWhole = true
  } catch (cause) {
    failures.push(cause)
  } finally {
    if (!isWhole && failures.length === 0) stop.abort()
    breakRing(ring)
    done.resolve()
    await work
  }
  if (failures.length > 0) throw originalFailure(failures)
}

/**
 * Has a thread work on bytes.
 * @throws what the thread fails with, else what the bytes fail with
 */
export async function bytesToThread<T>(
  pool: FilesPool,
  bytes: Bytes,
  { perform, signal }: TransferOptions & { readonly perform: Perform<T> },
): Promise<T> {
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  return await pool.stream(() =>
    pool.withRing(async (ring) => {
      const close = (): void => breakRing(ring)
      const filling = fillRing(bytes, ring)
      const [filled, performed] = await Promise.allSettled([
        filling.finally(close),
        perform(ring, stopped).finally(close),
      ])
      if (filled.status === 'fulfilled' && performed.status === 'fulfilled') return performed.value
      throw originalFailure([performed, filled].flatMap(reasonsOf))
    }),
  )
}

function reasonsOf(result: PromiseSettledResult<unknown>): readonly unknown[] {
  return result.status === 'rejected' ? [result.reason] : []
}
