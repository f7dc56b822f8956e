import { isStackLayerId, type LayerRecord, type RemoteLayer } from '#cache'
import { MEDIA_TYPES, uncompressedDigest } from '#core'
import type { LayerDeps } from './layer.ts'

/**
 * Brings the layer of a cached result into the store, unless the store has one of the same content that
 * fits any stack.
 * @throws {TsbuildError} DIGEST_MISMATCH, SIZE_MISMATCH, and what opening it fails with
 */
export async function fetchLayer(
  layer: RemoteLayer,
  { store, signal }: Pick<LayerDeps, 'store' | 'signal'>,
): Promise<LayerRecord> {
  const { diffId, size, presumed } = layer
  const known = store.layers.findByDiffId(diffId)
  if (known && !isStackLayerId(known.id) && store.layers.isPresent(known.id)) return known
  const tar = { mediaType: MEDIA_TYPES.ociLayer, digest: uncompressedDigest(diffId), size }
  if (!(await store.blobs.has(tar))) {
    await store.blobs.put(tar, await layer.open({ signal }), { signal })
  }
  return store.layers.register({ diffId, size, presumed })
}
