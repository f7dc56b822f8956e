import type { Store } from '#cache'
import { type Descriptor, MEDIA_TYPES } from '#core'
import type { FinishedImage } from './image.ts'
import { layerBlob } from './layer-blob.ts'
import { manifestDocument } from './manifest.ts'

export interface StoreOptions {
  readonly store: Store
  /** Canonical references; may be empty: then the image is known by its digest only. */
  readonly names: readonly string[]
  readonly signal: AbortSignal | undefined
}

/** Puts an image into the local store, uncompressed where it was made here. Names come last. */
export async function exportToStore(
  image: FinishedImage,
  options: StoreOptions,
): Promise<Descriptor> {
  const { store, names, signal } = options
  const layers = await Promise.all(
    image.layers.map(async (layer) => {
      const { descriptor, open } = layerBlob(layer, 'none', store)
      if (descriptor === undefined) throw new Error('a layer as it is has a descriptor')
      if (!(await store.blobs.has(descriptor))) {
        await store.blobs.put(descriptor, await open({ signal }), { signal })
        if (layer.blob !== undefined) store.layers.addCompressed(layer.diffId, descriptor)
      }
      return descriptor
    }),
  )
  const config = await store.blobs.putBytes(MEDIA_TYPES.ociConfig, image.configBytes)
  const { mediaType, bytes } = manifestDocument(config, layers)
  const manifest = await store.blobs.putBytes(mediaType, bytes)
  signal?.throwIfAborted()
  for (const name of names) await store.images.set(name, manifest)
  return manifest
}
