import { type Descriptor, type Manifest, MEDIA_TYPES, serializeManifest } from '#core'
import type { Document } from '#registry-client'

/** The OCI manifest of an image. */
export function manifestDocument(config: Descriptor, layers: readonly Descriptor[]): Document {
  const manifest: Manifest = { mediaType: MEDIA_TYPES.ociManifest, config, layers }
  return { mediaType: manifest.mediaType, bytes: serializeManifest(manifest) }
}
