import { type BlobSource, type Compression, type Descriptor, type DiffId, MEDIA_TYPES } from '#core'
import type { Reference } from '#registry-client'

/** A layer of a finished image. */
export interface ImageLayer {
  readonly diffId: DiffId
  /** Bytes of the uncompressed tar, when known. */
  readonly size: number | undefined
  /** The blob as it came from elsewhere; without one the plain tar is in the store. */
  readonly blob: { readonly descriptor: Descriptor; readonly source: BlobSource } | undefined
  /** A repository that has the blob, for a push to the same registry to mount it from. */
  readonly origin: Pick<Reference, 'registry' | 'repository'> | undefined
}

/** Equal for layers that are packed to the same blob in one export. */
export function layerKey({ blob, diffId }: ImageLayer): string {
  return blob?.descriptor.digest ?? diffId
}

/** The media types of layers that are packed here. */
export const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPES.ociLayer,
  gzip: MEDIA_TYPES.ociLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
  'zstd:chunked': MEDIA_TYPES.ociLayerZstd,
}
