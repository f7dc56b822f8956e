import {
  type Descriptor,
  type EncodedDocument,
  type GraphDraft,
  type ManifestDraft,
  MEDIA_TYPES,
  serializeIndex,
  serializeManifest,
} from '#core'
import type { FinishedImage, ImageSet } from './image.ts'
import { attestationDraft, attestationEntry } from './layers/attestation.ts'
import type { ImageLayer } from './layers/image-layer.ts'
import type { FormedImages } from './manifests/image-form.ts'

/**
 * The graph of built images: a manifest for each, those with what is said of them, and the index if there
 * is to be one.
 */
export function graphOf({ images, isIndex, isArtifact = true }: ImageSet): GraphDraft<ImageLayer> {
  return {
    manifests: images.map(draftOf),
    about: (written) =>
      written.flatMap((manifest, position) => {
        const { attestations = [] } = images[position] ?? {}
        return attestations.length === 0
          ? []
          : [attestationDraft(manifest, attestations, { isArtifact })]
      }),
    index: isIndex ? (manifests) => indexOf(manifests, images) : undefined,
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

/** Images first, then what is said of them, in the same order. */
function indexOf(
  descriptors: readonly Descriptor[],
  images: readonly FinishedImage[],
): EncodedDocument {
  const mediaType = MEDIA_TYPES.ociIndex
  const listed = descriptors.slice(0, images.length).map((manifest, position) => {
    const { platform, attestations = [] } = images[position] ?? {}
    const isAttested = attestations.length > 0
    return { manifest: platform === undefined ? manifest : { ...manifest, platform }, isAttested }
  })
  const attested = listed.filter(({ isAttested }) => isAttested)
  const about = descriptors.slice(images.length).map((manifest, position) => {
    const image = attested[position]?.manifest
    return image === undefined ? manifest : attestationEntry(manifest, image.digest)
  })
  const manifests = [...listed.map(({ manifest }) => manifest), ...about]
  return { mediaType, bytes: serializeIndex({ mediaType, manifests }) }
}

/** Images as what gives their manifests a form sees them. */
export function formedImagesOf({ images, isIndex }: ImageSet): FormedImages {
  return { platforms: images.map(({ platform }) => platform), isIndex }
}
