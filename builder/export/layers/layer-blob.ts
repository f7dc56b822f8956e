import { compress } from '#builder/layer'
import type { Store } from '#cache'
import {
  type Bytes,
  type Compression,
  compressionOf,
  type Descriptor,
  type TransferOptions,
  toOciMediaType,
  uncompressedDigest,
} from '#core'
import type { EarlyLayers } from './early-layers.ts'
import { type ImageLayer, LAYER_TYPES } from './image-layer.ts'

/** The bytes of a layer in the wanted compression, and their descriptor where it is known. */
export interface LayerBlob {
  readonly mediaType: string
  readonly descriptor: Descriptor | undefined
  /** Blobs that the layer was packed to before, which a registry may have. */
  readonly packedBefore: readonly Descriptor[]
  readonly open: (options?: TransferOptions) => Promise<Bytes>
}

/** Where blobs of layers are. */
export interface LayerBlobs {
  readonly store: Store
  /** Layers that are packed early; `undefined` outside of a build. */
  readonly early: Pick<EarlyLayers, 'find'> | undefined
}

/**
 * The blob of a layer in one compression. A blob from elsewhere stays as it is, whatever its compression,
 * so that its registry has it already. A layer made here is compressed while it is read, unless that was
 * begun early. Its earlier blobs are candidates only: another version of the compressor makes other bytes.
 */
export function layerBlob(
  layer: ImageLayer,
  compression: Compression,
  { store, early }: LayerBlobs,
): LayerBlob {
  const { blob, diffId } = layer
  if (blob !== undefined && !isPlain(blob.descriptor)) return existing(blob, store)
  if (compression === 'none') return plain(layer, store)
  const mediaType = LAYER_TYPES[compression]
  const packedBefore = store.layers.compressed(diffId).filter((one) => one.mediaType === mediaType)
  const kept = packedBefore.find(({ digest, size }) => store.blobs.stat(digest) === size)
  const open: LayerBlob['open'] = async (options) => {
    if (kept !== undefined) return store.blobs.open(kept, options)
    const growing = early?.find(diffId, compression)
    return growing?.open() ?? compress(await plain(layer, store).open(options), compression)
  }
  return { mediaType, descriptor: kept, packedBefore, open }
}

/** Reads from the store what was fetched for a step already. */
function existing(blob: NonNullable<ImageLayer['blob']>, store: Store): LayerBlob {
  const { source } = blob
  const { digest, size } = blob.descriptor
  const mediaType = toOciMediaType(blob.descriptor.mediaType)
  return {
    mediaType,
    descriptor: { mediaType, digest, size },
    packedBefore: [],
    open: async (options) => {
      const isHere = await store.blobs.has(blob.descriptor)
      return (isHere ? store.blobs : source).open(blob.descriptor, options)
    },
  }
}

function plain(layer: ImageLayer, store: Store): LayerBlob {
  const { diffId, size, blob } = layer
  if (blob !== undefined) return existing(blob, store)
  if (size === undefined) throw new Error(`layer ${diffId} was not packed`)
  const mediaType = LAYER_TYPES.none
  const descriptor = { mediaType, digest: uncompressedDigest(diffId), size }
  const open: LayerBlob['open'] = (options) => store.blobs.open(descriptor, options)
  return { mediaType, descriptor, packedBefore: [], open }
}

function isPlain(descriptor: Descriptor): boolean {
  return compressionOf(descriptor.mediaType) === 'none'
}
