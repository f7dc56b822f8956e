import { compress } from '#builder/layer'
import type { Store } from '#cache'
import {
  type Bytes,
  type Compression,
  compressionOf,
  type Descriptor,
  MEDIA_TYPES,
  type TransferOptions,
  toOciMediaType,
  uncompressedDigest,
} from '#core'
import type { ImageLayer } from './image.ts'

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPES.ociLayer,
  gzip: MEDIA_TYPES.ociLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
}

/** The bytes of a layer in the wanted compression, and their descriptor where it is known. */
export interface LayerBlob {
  readonly mediaType: string
  readonly descriptor: Descriptor | undefined
  readonly open: (options?: TransferOptions) => Promise<Bytes>
}

/**
 * A blob from elsewhere stays as it is, whatever its compression: then its registry knows it. A
 * layer made here is packed on its way.
 */
export function layerBlob(layer: ImageLayer, compression: Compression, store: Store): LayerBlob {
  const { blob, diffId } = layer
  if (blob !== undefined && !isPlain(blob.descriptor)) return existing(blob)
  if (compression === 'none') return plain(layer, store)
  const mediaType = LAYER_TYPES[compression]
  const known = store.layers.compressed(diffId).find((one) => one.mediaType === mediaType)
  return {
    mediaType,
    descriptor: known,
    open: async (options) => {
      if (known !== undefined && (await store.blobs.has(known))) {
        return store.blobs.open(known, options)
      }
      return compress(await plain(layer, store).open(options), compression)
    },
  }
}

function existing(blob: NonNullable<ImageLayer['blob']>): LayerBlob {
  const { descriptor, source } = blob
  const mediaType = toOciMediaType(descriptor.mediaType)
  return {
    mediaType,
    descriptor: { mediaType, digest: descriptor.digest, size: descriptor.size },
    open: (options) => source.open(descriptor, options),
  }
}

function plain(layer: ImageLayer, store: Store): LayerBlob {
  const { diffId, size, blob } = layer
  if (blob !== undefined) return existing(blob)
  if (size === undefined) throw new Error(`layer ${diffId} was not packed`)
  const mediaType = LAYER_TYPES.none
  const descriptor = { mediaType, digest: uncompressedDigest(diffId), size }
  return { mediaType, descriptor, open: (options) => store.blobs.open(descriptor, options) }
}

function isPlain(descriptor: Descriptor): boolean {
  return compressionOf(descriptor.mediaType) === 'none'
}
