import type { Store } from '#cache'
import { copyBlob, type Descriptor, MEDIA_TYPES, throwIfCancelled, together } from '#core'
import { type FinishedImage, type ImageLayer, type ImageSet, withPlatforms } from './image.ts'
import { layerBlob } from './layer-blob.ts'
import { indexDocument, manifestDocument } from './manifest.ts'

export interface StoreOptions {
  readonly store: Store
  /** Canonical references; may be empty: then the image is known by its digest only. */
  readonly names: readonly string[]
  readonly signal: AbortSignal | undefined
}

/** Puts images into the local store, uncompressed where they were made here. Names come last. */
export async function exportToStore(
  { images, isIndex }: ImageSet,
  options: StoreOptions,
): Promise<Descriptor> {
  const { store, names, signal } = options
  const putting = images.map((image) => (stop: AbortSignal) => putImage(image, store, stop))
  const manifests = await together(putting, signal)
  const target = isIndex ? await putIndex(images, manifests, store) : manifests[0]
  if (target === undefined) throw new Error('a build has at least one image')
  throwIfCancelled(signal, 'name the image')
  for (const name of names) await store.images.set(name, target)
  return target
}

async function putImage(
  image: FinishedImage,
  store: Store,
  signal: AbortSignal,
): Promise<Descriptor> {
  const putting = image.layers.map((layer) => (stop: AbortSignal) => putLayer(layer, store, stop))
  const layers = await together(putting, signal)
  const config = await store.blobs.putBytes(MEDIA_TYPES.ociConfig, image.configBytes)
  const { mediaType, bytes } = manifestDocument(config, layers)
  return store.blobs.putBytes(mediaType, bytes)
}

async function putIndex(
  images: readonly FinishedImage[],
  manifests: readonly Descriptor[],
  store: Store,
): Promise<Descriptor> {
  const { mediaType, bytes } = indexDocument(withPlatforms(images, manifests))
  return store.blobs.putBytes(mediaType, bytes)
}

async function putLayer(layer: ImageLayer, store: Store, signal: AbortSignal): Promise<Descriptor> {
  const { descriptor, open } = layerBlob(layer, 'none', store)
  if (descriptor === undefined) throw new Error('a layer as it is has a descriptor')
  if (await store.blobs.has(descriptor)) return descriptor
  const from = { open: () => open({ signal }) }
  await copyBlob(descriptor, { from, to: store.blobs }, { signal })
  return descriptor
}
