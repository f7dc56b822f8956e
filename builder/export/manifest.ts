import {
  type Descriptor,
  type Manifest,
  MEDIA_TYPES,
  type Platform,
  serializeIndex,
  serializeManifest,
} from '#core'
import type { Document } from '#registry-client'

/** The OCI manifest of an image. */
export function manifestDocument(config: Descriptor, layers: readonly Descriptor[]): Document {
  const manifest: Manifest = { mediaType: MEDIA_TYPES.ociManifest, config, layers }
  return { mediaType: manifest.mediaType, bytes: serializeManifest(manifest) }
}

/** The OCI index of images for several platforms, in the order given. */
export function indexDocument(
  images: readonly { readonly manifest: Descriptor; readonly platform: Platform }[],
): Document {
  const mediaType = MEDIA_TYPES.ociIndex
  const manifests = images.map(({ manifest, platform }) => ({ ...manifest, platform }))
  return { mediaType, bytes: serializeIndex({ mediaType, manifests }) }
}
