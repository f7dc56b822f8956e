/**
 * A blob on its way into the store, while a thread makes something of what it holds: nothing is read back
 * from the disk. What was made counts once the store has the blob, verified.
 */
import { breakRing, fillRing, originalFailure, type Ring } from '#builder/threads'
import { type BytesBranch, type Descriptor, fetchUndamaged, splitBytes } from '#core'
import type { Download, Origin } from './download.ts'
import type { LayerDeps } from './layer.ts'

/** What is downloaded, and what is made of it. */
export interface StreamedBlob<T> {
  readonly blob: Descriptor
  readonly download: Download
  /** Has a thread work on the bytes, beside others; called again for the same bytes anew. */
  readonly perform: (ring: Ring) => Promise<T>
}

/**
 * Stores a blob while `perform` works on what it holds. The download goes on when `perform` fails: only the
 * digest of the blob distinguishes damaged bytes, which are fetched once more, from a layer that is wrong.
 * @throws {TsbuildError} what fetching and storing the blob fail with, else what `perform` fails with
 */
export async function streamBlob<T>(streamed: StreamedBlob<T>, deps: LayerDeps): Promise<T> {
  const performed = await streamed.download((from) =>
    fetchUndamaged(() =>
      deps.pool.withRing((ring) => storeAlongside(streamed, { from, ring }, deps)),
    ),
  )
  if (performed.status === 'rejected') throw performed.reason
  return performed.value
}

async function storeAlongside<T>(
  streamed: StreamedBlob<T>,
  { from, ring }: { readonly from: Origin; readonly ring: Ring },
  { store, signal: outer }: LayerDeps,
): Promise<PromiseSettledResult<T>> {
  const { blob } = streamed
  const stop = new AbortController()
  const signal = outer === undefined ? stop.signal : AbortSignal.any([outer, stop.signal])
  const bytes = await from.open(blob, { signal, checkedBy: 'receiver' })
  const [toStore, toUse] = splitBytes(bytes)
  const storing = async (): Promise<void> => {
    try {
      await store.blobs.receive(blob, toStore, { signal })
    } catch (cause) {
      stop.abort(cause)
      throw cause
    } finally {
      await toStore.return()
    }
  }
  const [stored, performed] = await Promise.allSettled([
    storing(),
    performOn(toUse, ring, streamed),
  ])
  if (stored.status === 'fulfilled') return performed
  throw originalFailure([stored, performed].flatMap(reasonsOf))
}

/** Passes bytes into the ring that a thread works on. */
async function performOn<T>(
  bytes: BytesBranch,
  ring: Ring,
  { perform }: StreamedBlob<T>,
): Promise<T> {
  const close = (): void => breakRing(ring)
  const filling = fillRing(bytes, ring).finally(() => bytes.return())
  const [filled, performed] = await Promise.allSettled([
    filling.finally(close),
    perform(ring).finally(close),
  ])
  if (filled.status === 'fulfilled' && performed.status === 'fulfilled') return performed.value
  throw originalFailure([filled, performed].flatMap(reasonsOf))
}

function reasonsOf(result: PromiseSettledResult<unknown>): readonly unknown[] {
  return result.status === 'rejected' ? [result.reason] : []
}
