import { type BlobSource, type Bytes, type Descriptor, fetchUndamaged } from '#core'
import type { LayerDeps } from './layer.ts'

/** Where a blob is downloaded from. */
export type Origin = Pick<BlobSource, 'open'>

/** Reports a download while `take` is under way, by the bytes that it reads. */
export type Download = <T>(take: (from: Origin) => Promise<T>) => Promise<T>

/** Stores a small blob. @returns its bytes, verified */
export function storeAndKeep(
  blob: Descriptor,
  download: Download,
  { store, signal }: LayerDeps,
): Promise<readonly Uint8Array[]> {
  return download((from) =>
    fetchUndamaged(async () => {
      const chunks: Uint8Array[] = []
      const bytes = await from.open(blob, { signal, checkedBy: 'receiver' })
      await store.blobs.receive(blob, keeping(bytes, chunks), { signal })
      return chunks
    }),
  )
}

async function* keeping(bytes: Bytes, chunks: Uint8Array[]): Bytes {
  for await (const chunk of bytes) {
    chunks.push(chunk)
    yield chunk
  }
}
