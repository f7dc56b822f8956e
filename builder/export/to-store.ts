import type { Store } from '#cache'
import { type Descriptor, MEDIA_TYPES, throwIfCancelled, together } from '#core'
import type { FinishedImage, ImageLayer } from './image.ts'
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
  const putting = image.layers.map((layer) => (stop: AbortSignal) => putLayer(layer, store, stop))
  const layers = await together(putting, signal)
  const config = await store.blobs.putBytes(MEDIA_TYPES.ociConfig, image.configBytes)
  const { mediaType, bytes } = manifestDocument(config, layers)
  const manifest = await store.blobs.putBytes(mediaType, bytes)
  throwIfCancelled(signal, 'name the image')
  for (const name of names) await store.images.set(name, manifest)
  return manifest
}

async function putLayer(layer: ImageLayer, store: Store, signal: AbortSignal): Promise<Descriptor> {
  const { descriptor, open } = layerBlob(layer, 'none', store)
  if (descriptor === undefined) throw new Error('a layer as it is has a descriptor')
  if (await store.blobs.has(descriptor)) return descriptor
  await store.blobs.put(descriptor, await open({ signal }), { signal })
  return descriptor
}
