import { storeSource } from '#builder/plan'
import type { Store } from '#cache'
import {
  compressionOf,
  type Descriptor,
  type DiffId,
  hostPlatform,
  type ImageConfig,
  type Manifest,
} from '#core'
import { resolveImage } from '#registry-client'
import type { FinishedImage, ImageLayer } from './image.ts'

/** An image of the local store, ready to be sent somewhere. */
export interface StoredImage extends FinishedImage {
  readonly manifestDescriptor: Descriptor
  readonly manifest: Manifest
}

/** @throws {TsbuildError} NOT_FOUND, MANIFEST_INVALID when it is damaged */
export async function readFromStore(store: Store, manifest: Descriptor): Promise<StoredImage> {
  const image = await resolveImage(storeSource(store), manifest.digest, {
    platform: hostPlatform(),
  })
  return {
    config: image.config,
    configBytes: image.configBytes,
    id: image.manifest.config.digest,
    layers: layersOf(image.manifest, image.config, store),
    manifestDescriptor: image.manifestDescriptor,
    manifest: image.manifest,
  }
}

function layersOf(manifest: Manifest, config: ImageConfig, store: Store): readonly ImageLayer[] {
  return manifest.layers.map((descriptor, index) => {
    const diffId: DiffId | undefined = config.diffIds[index]
    if (diffId === undefined) throw new Error('resolveImage checks that every layer has a diffID')
    const isPlain = compressionOf(descriptor.mediaType) === 'none'
    return {
      diffId,
      size: isPlain ? descriptor.size : store.layers.findByDiffId(diffId)?.size,
      blob: isPlain ? undefined : { descriptor, source: store.blobs },
      origin: undefined,
    }
  })
}
