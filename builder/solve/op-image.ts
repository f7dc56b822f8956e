import type { BaseLayer, ImageVertex } from '#builder/plan'
import type { Store } from '#cache'
import type { Bytes, TransferOptions } from '#core'
import type { Reporter } from './reporter.ts'

export interface FetchDeps extends TransferOptions {
  readonly store: Store
  readonly reporter: Reporter
}

/** Brings the blob of a base layer into the store, verified, unless it is there. */
export async function fetchLayer(
  layer: BaseLayer,
  vertex: ImageVertex,
  deps: FetchDeps,
): Promise<void> {
  const { store, signal, reporter } = deps
  const { descriptor, source, diffId } = layer
  if (await store.blobs.has(descriptor)) return
  await reporter.pull(vertex, async (onProgress) => {
    const bytes = await source.open(descriptor, { signal })
    const counted = counting(bytes, (current) => onProgress(descriptor, current))
    await store.blobs.put(descriptor, counted, { signal })
    store.layers.addCompressed(diffId, descriptor)
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
