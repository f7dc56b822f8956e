import type { Store } from '#cache'
import { type Compression, type Descriptor, MEDIA_TYPES } from '#core'
import {
  type PushLayer,
  type PushProgress,
  pushImage,
  type Reference,
  type RegistryClient,
} from '#registry-client'
import type { FinishedImage, ImageLayer } from './image.ts'
import { layerBlob } from './layer-blob.ts'
import { manifestDocument } from './manifest.ts'

export interface RegistryOptions {
  readonly store: Store
  readonly client: RegistryClient
  readonly compression: Compression
  readonly onProgress: (progress: PushProgress) => void
  readonly signal: AbortSignal | undefined
}

/** Pushes to one repository under all of its tags, and remembers what the layers were packed to. */
export async function exportToRegistry(
  image: FinishedImage,
  references: readonly [Reference, ...Reference[]],
  options: RegistryOptions,
): Promise<Descriptor> {
  const { store, client, onProgress, signal } = options
  const [target] = references
  const pushed = await pushImage(client.repository(target), {
    layers: image.layers.map((layer) => pushLayer(layer, target, options)),
    config: { mediaType: MEDIA_TYPES.ociConfig, bytes: image.configBytes },
    assemble: manifestDocument,
    tags: references.flatMap(({ tag }) => (tag === undefined ? [] : [tag])),
    onProgress,
    signal,
  })
  for (const [index, descriptor] of pushed.layers.entries()) {
    const layer = image.layers[index]
    if (layer !== undefined && layer.blob === undefined) {
      store.layers.addCompressed(layer.diffId, descriptor)
    }
  }
  return pushed.manifest
}

function pushLayer(layer: ImageLayer, target: Reference, options: RegistryOptions): PushLayer {
  const { mediaType, descriptor, open } = layerBlob(layer, options.compression, options.store)
  const id = layer.diffId
  const { signal } = options
  if (descriptor === undefined)
    return { kind: 'stream', id, mediaType, open: () => open({ signal }) }
  const { origin } = layer
  const isSameRegistry = origin?.registry === target.registry
  const mountFrom =
    isSameRegistry && origin.repository !== target.repository ? origin.repository : undefined
  return { kind: 'blob', id, descriptor, open: () => open({ signal }), mountFrom }
}
