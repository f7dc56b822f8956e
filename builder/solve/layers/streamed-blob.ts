/**
 * A blob on its way into the store, while a thread makes something of the same bytes: they are not read
 * back from the disk. What was made counts once the store has the blob, verified.
 */
import { breakRing, originalFailure, type Ring, teeIntoRing } from '#builder/threads'
import { type BlobSource, type Descriptor, fetchUndamaged } from '#core'
import type { WorkPool } from '../work/work-pool.ts'
import type { LayerDeps } from './layer.ts'

/** Reports a download while `take` is under way, by the bytes that it reads. */
export type Download = <T>(take: (from: Pick<BlobSource, 'open'>) => Promise<T>) => Promise<T>

/** Has a task work on bytes that come through a ring; called again for the same bytes anew. */
export type PerformOnStream<T> = (ring: Ring, run: WorkPool['run']) => Promise<T>

/**
 * Up to here bytes wait in their ring for a thread. More would hold a connection while they wait, so a
 * thread is waited for first.
 */
const HELD_BYTES = 512 * 1024

/**
 * Stores a blob while `perform` works on its bytes. The download goes on when `perform` fails: only the
 * digest of the blob distinguishes damaged bytes, which are fetched once more, from a layer that is wrong.
 * @throws {TsbuildError} what fetching and storing the blob fail with, else what `perform` fails with
 */
export async function streamBlob<T>(
  blob: Descriptor,
  { download, perform }: { readonly download: Download; readonly perform: PerformOnStream<T> },
  deps: LayerDeps,
): Promise<T> {
  const { pool, watch } = deps
  const isHeld = blob.size <= HELD_BYTES
  const run = isHeld && !watch.isRepairing ? pool.run.bind(pool) : pool.runBeside.bind(pool)
  const transfer = (from: Pick<BlobSource, 'open'>) => (ring: Ring) =>
    storeAlongside(blob, { from, ring, performed: perform(ring, run) }, deps)
  const performed = await download((from) =>
    fetchUndamaged(() =>
      isHeld || watch.isRepairing ? pool.withRing(transfer(from)) : pool.withStream(transfer(from)),
    ),
  )
  if (performed.status === 'rejected') throw performed.reason
  return performed.value
}

/** One end of a ring, and where its bytes come from. */
interface Transfer<T> {
  readonly from: Pick<BlobSource, 'open'>
  readonly ring: Ring
  /** What becomes of the bytes at the other end. */
  readonly performed: Promise<T>
}

async function storeAlongside<T>(
  blob: Descriptor,
  { from, ring, performed }: Transfer<T>,
  { store, signal }: LayerDeps,
): Promise<PromiseSettledResult<T>> {
  const close = (): void => breakRing(ring)
  const storing = async (): Promise<void> => {
    const bytes = teeIntoRing(await from.open(blob, { signal }), ring)
    await store.blobs.put(blob, bytes, { signal })
    // Where another process has stored it meanwhile, nothing was read so far.
    for await (const chunk of bytes) void chunk
  }
  const [stored, result] = await Promise.allSettled([
    storing().finally(close),
    performed.finally(close),
  ])
  if (stored.status === 'fulfilled') return result
  throw originalFailure(
    [stored, result].flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
  )
}
