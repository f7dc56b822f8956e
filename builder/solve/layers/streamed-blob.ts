/**
 * A blob on its way into the store, while a thread makes something of what it holds: nothing is read back
 * from the disk. What was made counts once the store has the blob, verified.
 */
import { decompress } from '#builder/layer'
import { breakRing, fillRing, originalFailure, type Ring } from '#builder/threads'
import {
  type BlobSource,
  type Bytes,
  type Compression,
  type Descriptor,
  fetchUndamaged,
  splitBytes,
} from '#core'
import type { LayerSource } from '../work/tasks/blob.ts'
import type { LayerDeps } from './layer.ts'

/** Where a blob is downloaded from. */
type From = Pick<BlobSource, 'open'>

/** Reports a download while `take` is under way, by the bytes that it reads. */
export type Download = <T>(take: (from: From) => Promise<T>) => Promise<T>

/** What is downloaded, and what is made of it. */
export interface StreamedBlob<T> {
  readonly blob: Descriptor
  readonly compression: Compression
  readonly download: Download
  /** Has a task work on the bytes, beside others; called again for the same bytes anew. */
  readonly perform: (source: LayerSource) => Promise<T>
}

/**
 * So many bytes are kept in memory: to unpack them takes less than to start a thread. A larger blob is
 * opened when a thread is free, or it would hold its connection until one is: others may have to wait for
 * that.
 */
const KEPT_BYTES = 2 << 20

/**
 * Stores a blob while `perform` works on what it holds. The download goes on when `perform` fails: only the
 * digest of the blob distinguishes damaged bytes, which are fetched once more, from a layer that is wrong.
 * @throws {TsbuildError} what fetching and storing the blob fail with, else what `perform` fails with
 */
export async function streamBlob<T>(streamed: StreamedBlob<T>, deps: LayerDeps): Promise<T> {
  const { blob, compression, download, perform } = streamed
  const { pool, watch } = deps
  const withPlace = <R>(use: (ring: Ring) => Promise<R>): Promise<R> =>
    watch.isRepairing ? pool.withRing(use) : pool.withStream(use)
  if (blob.size <= KEPT_BYTES) {
    const chunks = await download((from) => fetchUndamaged(() => storeAndKeep(blob, from, deps)))
    return perform({ kind: 'bytes', chunks, compression })
  }
  const performed = await download((from) =>
    fetchUndamaged(() => withPlace((ring) => storeAlongside(streamed, { from, ring }, deps))),
  )
  if (performed.status === 'rejected') throw performed.reason
  return performed.value
}

/** Stores a small blob. @returns its bytes, verified */
async function storeAndKeep(
  blob: Descriptor,
  from: From,
  { store, signal }: LayerDeps,
): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  const bytes = keeping(await from.open(blob, { signal }), chunks)
  await store.blobs.put(blob, bytes, { signal })
  await drain(bytes)
  return chunks
}

async function storeAlongside<T>(
  streamed: StreamedBlob<T>,
  { from, ring }: { readonly from: From; readonly ring: Ring },
  { store, signal }: LayerDeps,
): Promise<PromiseSettledResult<T>> {
  const { blob } = streamed
  const [toStore, toUse] = splitBytes(await from.open(blob, { signal }))
  const storing = async (): Promise<void> => {
    try {
      await store.blobs.put(blob, toStore, { signal })
      await drain(toStore)
    } finally {
      await toStore.return()
    }
  }
  const [stored, performed] = await Promise.allSettled([
    storing(),
    performOn(toUse, ring, streamed).finally(() => toUse.return()),
  ])
  if (stored.status === 'fulfilled') return performed
  throw originalFailure([stored, performed].flatMap(reasonsOf))
}

/** Where another process has stored a blob meanwhile, its bytes were not read. */
async function drain(bytes: Bytes): Promise<void> {
  for await (const chunk of bytes) void chunk
}

/** Unpacks bytes into the ring that a thread works on. */
async function performOn<T>(
  bytes: Bytes,
  ring: Ring,
  { compression, perform }: StreamedBlob<T>,
): Promise<T> {
  const close = (): void => breakRing(ring)
  const [filled, performed] = await Promise.allSettled([
    fillRing(decompress(bytes, compression), ring).finally(close),
    perform({ kind: 'ring', ring }).finally(close),
  ])
  if (filled.status === 'fulfilled' && performed.status === 'fulfilled') return performed.value
  throw originalFailure([filled, performed].flatMap(reasonsOf))
}

function reasonsOf(result: PromiseSettledResult<unknown>): readonly unknown[] {
  return result.status === 'rejected' ? [result.reason] : []
}

async function* keeping(bytes: Bytes, chunks: Uint8Array[]): Bytes {
  for await (const chunk of bytes) {
    chunks.push(chunk)
    yield chunk
  }
}
