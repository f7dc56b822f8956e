import type { BaseLayer, ImageVertex } from '#builder/plan'
import type { Store } from '#cache'
import { type BlobSource, type Bytes, copyBlob, type TransferOptions } from '#core'
import type { Reporter } from '../report/reporter.ts'

export interface FetchDeps extends TransferOptions {
  readonly store: Store
  readonly reporter: Reporter
}

/** Brings the blob of a base layer into the store, verified, unless it is there. */
export async function fetchLayer(
  { descriptor, source }: BaseLayer,
  vertex: ImageVertex,
  deps: FetchDeps,
): Promise<void> {
  const { store, signal, reporter } = deps
  if (await store.blobs.has(descriptor)) return
  await reporter.pull(vertex, descriptor, async (onProgress) => {
    const open: BlobSource['open'] = async (blob, options) =>
      counting(await source.open(blob, options), onProgress)
    await copyBlob(descriptor, { from: { open }, to: store.blobs }, { signal })
  })
}

async function* counting(bytes: Bytes, onBytes: (total: number) => void): Bytes {
  let total = 0
  for await (const chunk of bytes) {
    total += chunk.length
    onBytes(total)
    yield chunk
  }
}
