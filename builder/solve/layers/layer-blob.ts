import type { AppliedLayer } from '#builder/layer'
import { type Compression, compressionOf, type Descriptor, TsbuildError } from '#core'
import type { LayerSource } from '../work/tasks/blob.ts'
import type { ApplyTask } from '../work/tasks/unpack-layer.ts'
import type { WorkPool } from '../work/work-pool.ts'
import type { LayerDeps } from './layer.ts'
import { type Download, streamBlob } from './streamed-blob.ts'

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

/** Has a blob read from the store, or on its way there. */
export async function readBlob<T>(
  { blob, download }: RemoteBlob,
  read: ReadBlob<T>,
  deps: LayerDeps,
): Promise<T> {
  const { store, pool } = deps
  if (await store.blobs.has(blob)) return readStored(blob, read, deps)
  const run = pool.runBeside.bind(pool)
  const compression = readableCompression(blob)
  return streamBlob({ blob, compression, download, perform: (source) => read(source, run) }, deps)
}

/** One that is damaged in the store is moved away. */
async function readStored<T>(
  blob: Descriptor,
  read: ReadBlob<T>,
  { store, pool, watch, signal }: LayerDeps,
): Promise<T> {
  const compression = readableCompression(blob)
  const run = (watch.isRepairing ? pool.runBeside : pool.run).bind(pool)
  try {
    return await read({ kind: 'file', path: store.blobs.path(blob.digest), compression }, run)
  } catch (cause) {
    // Reading it to its end distinguishes a damaged file from a layer that was made wrong.
    for await (const chunk of await store.blobs.open(blob, { signal })) void chunk
    throw cause
  }
}

function readableCompression({ digest, mediaType }: Descriptor): Compression {
  const compression = compressionOf(mediaType)
  if (compression !== undefined) return compression
  throw new TsbuildError(`layer ${digest} has the type ${mediaType}`, {
    code: 'UNSUPPORTED',
    hint: 'layers are tar archives, plain or packed with gzip or zstd',
  })
}
