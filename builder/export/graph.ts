import {
  type Descriptor,
  type EncodedDocument,
  type GraphDraft,
  type ManifestDraft,
  MEDIA_TYPES,
  type Platform,
  serializeIndex,
  serializeManifest,
} from '#core'
import type { FinishedImage, ImageSet } from './image.ts'
import type { ImageLayer } from './layers/image-layer.ts'
import type { FormedImages } from './manifests/image-form.ts'

/** The graph of built images: a manifest for each, and the index if there is to be one. */
export function graphOf({ images, isIndex }: ImageSet): GraphDraft<ImageLayer> {
  const platforms = images.map(({ platform }) => platform)
  return {
    manifests: images.map(draftOf),
    index: isIndex ? (manifests) => indexOf(manifests, platforms) : undefined,
  }
}

function draftOf({ configBytes, layers }: FinishedImage): ManifestDraft<ImageLayer> {
  const config = { mediaType: MEDIA_TYPES.ociConfig, bytes: configBytes }
  return { config, layers, assemble: manifestOf }
}

function manifestOf(config: Descriptor, layers: readonly Descriptor[]): EncodedDocument {
  const mediaType = MEDIA_TYPES.ociManifest
  return { mediaType, bytes: serializeManifest({ mediaType, config, layers }) }
}

function indexOf(
  descriptors: readonly Descriptor[],
  platforms: readonly Platform[],
): EncodedDocument {
  const mediaType = MEDIA_TYPES.ociIndex
  const manifests = descriptors.map((manifest, index) => {
    const platform = platforms[index]
    return platform === undefined ? manifest : { ...manifest, platform }
  })
  return { mediaType, bytes: serializeIndex({ mediaType, manifests }) }
}

/** Images as what gives their manifests a form sees them. */
export function formedImagesOf({ images, isIndex }: ImageSet): FormedImages {
  return { platforms: images.map(({ platform }) => platform), isIndex }
}
