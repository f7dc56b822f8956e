import { decompress } from '#builder/layer'
import { isStackLayerId, type LayerRecord, type RemoteLayer } from '#cache'
import { MEDIA_TYPES, uncompressedDigest } from '#core'
import type { LayerDeps } from './layer.ts'
import { readableCompression } from './layer-blob.ts'

/** The layer of the same content that the store has, if it fits any stack. */
export function storedTwin(
  { diffId }: Pick<RemoteLayer, 'diffId'>,
  { store }: Pick<LayerDeps, 'store'>,
): LayerRecord | undefined {
  const known = store.layers.findByDiffId(diffId)
  return known && !isStackLayerId(known.id) && store.layers.isPresent(known.id) ? known : undefined
}

/**
 * Brings the tar of a cached result's layer into the store.
 * @throws {TsbuildError} DIGEST_MISMATCH, SIZE_MISMATCH, and what opening it fails with
 */
export async function fetchLayer(
  layer: RemoteLayer,
  { store, signal }: Pick<LayerDeps, 'store' | 'signal'>,
): Promise<LayerRecord> {
  const { diffId, size, presumed, blob, source } = layer
  const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
  if (!(await store.blobs.has(tar))) {
    const bytes = await source.open(blob, { signal })
    await store.blobs.put(tar, decompress(bytes, readableCompression(blob)), { signal })
  }
  return store.layers.register({ diffId, size, presumed })
}
