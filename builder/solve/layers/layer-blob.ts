import type { AppliedLayer } from '#builder/layer'
import { compressionOf, type Descriptor, TsbuildError } from '#core'
import type { BlobTask } from '../work/tasks/blob.ts'
import type { ApplyTask } from '../work/tasks/unpack-layer.ts'
import type { LayerDeps } from './layer.ts'

/** Makes a directory of a blob that is in the store. */
export function unpack(
  blob: Descriptor,
  task: Pick<ApplyTask, 'diffId' | 'directory' | 'lowers'>,
  deps: LayerDeps,
): Promise<AppliedLayer> {
  const { pool, watch, spans, signal } = deps
  const perform = (file: Pick<BlobTask, 'blob' | 'compression'>): Promise<AppliedLayer> => {
    const input = { ...task, ...file }
    if (watch.isRepairing) return pool.runBeside('unpackLayer', input, signal)
    return pool.run('unpackLayer', input, signal)
  }
  return spans.measure('unpacking', () => readBlob(blob, perform, deps))
}

/** Has a blob of the store read; one that is damaged there is moved away. */
export async function readBlob<T>(
  blob: Descriptor,
  read: (file: Pick<BlobTask, 'blob' | 'compression'>) => Promise<T>,
  { store, signal }: LayerDeps,
): Promise<T> {
  const compression = compressionOf(blob.mediaType)
  if (compression === undefined) {
    throw new TsbuildError(`layer ${blob.digest} has the type ${blob.mediaType}`, {
      code: 'UNSUPPORTED',
      hint: 'layers are tar archives, plain or packed with gzip or zstd',
    })
  }
  try {
    return await read({ blob: store.blobs.path(blob.digest), compression })
  } catch (cause) {
    // Reading it to its end distinguishes a damaged file from a layer that was made wrong.
    for await (const chunk of await store.blobs.open(blob, { signal })) void chunk
    throw cause
  }
}
