import type { AppliedLayer } from '#builder/layer'
import type { Ring } from '#builder/threads'
import {
  type Compression,
  compressionOf,
  type Descriptor,
  type DiffId,
  makeStopFlag,
  type StopFlag,
  setStopFlag,
  TsbuildError,
} from '#core'
import { SMALL_BLOB_BYTES } from '../work/small-tasks.ts'
import type { LayerSource } from '../work/tasks/blob.ts'
import type { ApplyTask } from '../work/tasks/unpack-layer.ts'
import type { WorkPool } from '../work/work-pool.ts'
import { type Download, storeAndKeep } from './download.ts'
import type { LayerDeps } from './layer.ts'
import { streamBlob } from './streamed-blob.ts'

/** A blob of a base layer, and how it is fetched where the store does not have it. */
export interface RemoteBlob {
  readonly blob: Descriptor
  readonly download: Download
}

/** Has a task, performed by `run`, read a blob. Called again when the bytes came damaged. */
export type ReadBlob<T> = (source: LayerSource, run: WorkPool['run']) => Promise<T>

/** Makes a directory of a blob that is in the store. */
export function unpack(
  blob: Descriptor,
  task: Pick<ApplyTask, 'diffId' | 'directory' | 'lowers'>,
  deps: LayerDeps,
): Promise<AppliedLayer> {
  const { spans, signal } = deps
  const read: ReadBlob<AppliedLayer> = (source, run) =>
    run('unpackLayer', { ...task, source }, signal)
  return spans.measure('unpacking', () => readStored(blob, read, deps))
}

/**
 * Has a blob read to its end, so that it is known to hold a layer.
 * @returns bytes of the tar
 * @throws {TsbuildError} DIGEST_MISMATCH for another layer, and failures to fetch it
 */
export async function confirmBlob(
  remote: RemoteBlob,
  diffId: DiffId,
  deps: LayerDeps,
): Promise<number> {
  const read: ReadBlob<number> = (source, run) => run('checkLayer', { source, diffId }, deps.signal)
  const size = await readBlob(remote, read, deps)
  deps.store.layers.addCompressed(diffId, remote.blob)
  return size
}

/** Has a blob read from the store, or on its way there. */
export async function readBlob<T>(
  remote: RemoteBlob,
  read: ReadBlob<T>,
  deps: LayerDeps,
): Promise<T> {
  if (await deps.store.blobs.has(remote.blob)) return readStored(remote.blob, read, deps)
  const pull = (): Promise<T> => readPulled(remote, read, deps)
  // Opened once there is a place: a connection that waits for one might be what its owner waits for.
  return deps.watch.isRepairing ? pull() : deps.pool.stream(pull)
}

async function readPulled<T>(
  { blob, download }: RemoteBlob,
  read: ReadBlob<T>,
  deps: LayerDeps,
): Promise<T> {
  const { pool } = deps
  const compression = readableCompression(blob)
  const run = pool.runBeside.bind(pool)
  if (blob.size <= SMALL_BLOB_BYTES) {
    const chunks = await storeAndKeep(blob, download, deps)
    return stoppable(deps.signal, (stop) =>
      read({ kind: 'memory', chunks, compression, stop }, run),
    )
  }
  const perform = (ring: Ring): Promise<T> => read({ kind: 'ring', ring, compression }, run)
  return streamBlob({ blob, download, perform }, deps)
}

/** @param work gets a flag that an abort sets */
async function stoppable<T>(
  signal: AbortSignal | undefined,
  work: (stop: StopFlag) => Promise<T>,
): Promise<T> {
  const stop = makeStopFlag()
  const onAbort = (): void => setStopFlag(stop)
  signal?.addEventListener('abort', onAbort)
  try {
    return await work(stop)
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** One that is damaged in the store is moved away. */
async function readStored<T>(blob: Descriptor, read: ReadBlob<T>, deps: LayerDeps): Promise<T> {
  const { store, pool, watch, signal } = deps
  const compression = readableCompression(blob)
  const path = await store.blobs.file(blob.digest, { signal })
  const run = (watch.isRepairing ? pool.runBeside : pool.run).bind(pool)
  try {
    return await read({ kind: 'file', path, compression }, run)
  } catch (cause) {
    // Reading it to its end distinguishes a damaged file from a layer that was made wrong.
    for await (const chunk of await store.blobs.open(blob, { signal })) void chunk
    throw cause
  }
}

/** How a layer is packed. @throws {TsbuildError} UNSUPPORTED */
export function readableCompression({ digest, mediaType }: Descriptor): Compression {
  const compression = compressionOf(mediaType)
  if (compression !== undefined) return compression
  throw new TsbuildError(`layer ${digest} has the type ${mediaType}`, {
    code: 'UNSUPPORTED',
    hint: 'layers are tar archives, plain or packed with gzip or zstd',
  })
}
