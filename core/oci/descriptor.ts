import type { Digest } from './digest.ts'
import type { Platform } from './platform.ts'

/** The media types of images, as OCI and as Docker spells them. */
export const MEDIA_TYPES = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const

/** How the bytes of a layer blob are packed; `zstd:chunked` is zstd in which single files can be found. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'zstd:chunked'

/** Media type, digest and size (in bytes) of a blob. Spec: image-spec v1.1 descriptor.md */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
  /** The bytes in base64, where it holds them itself. */
  readonly data?: string
  /** Of the manifest that it refers to, where that is not an image. */
  readonly artifactType?: string
}

/** Whether it is the media type of a list of manifests. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerIndex
}

/** Whether it is the media type of one image's manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest
}

/**
 * The compression that a layer's media type promises, or `undefined` for what is not a layer. What is chunked is
 * `zstd`, as it is to be unpacked.
 */
export function compressionOf(mediaType: string): Compression | undefined {
  switch (mediaType) {
    case MEDIA_TYPES.ociLayer:
    case MEDIA_TYPES.dockerLayer:
      return 'none'
    case MEDIA_TYPES.ociLayerGzip:
    case MEDIA_TYPES.dockerLayerGzip:
      return 'gzip'
    case MEDIA_TYPES.ociLayerZstd:
    case MEDIA_TYPES.dockerLayerZstd:
      return 'zstd'
    default:
      return undefined
  }
}

/** What is the same, as OCI and as Docker spell it. */
const SPELLINGS: readonly (readonly [oci: string, docker: string])[] = [
  [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerIndex],
  [MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest],
  [MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig],
  [MEDIA_TYPES.ociLayer, MEDIA_TYPES.dockerLayer],
  [MEDIA_TYPES.ociLayerGzip, MEDIA_TYPES.dockerLayerGzip],
  [MEDIA_TYPES.ociLayerZstd, MEDIA_TYPES.dockerLayerZstd],
]

/** Docker's media types in their OCI spelling; any other type is returned unchanged. */
export function toOciMediaType(mediaType: string): string {
  return SPELLINGS.find(([, docker]) => docker === mediaType)?.[0] ?? mediaType
}

/** OCI's media types in Docker's spelling; any other type is returned unchanged. */
export function toDockerMediaType(mediaType: string): string {
  return SPELLINGS.find(([oci]) => oci === mediaType)?.[1] ?? mediaType
}
