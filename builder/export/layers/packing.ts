import { compress } from '#builder/layer'
import { type BlobDraft, freeBytes, type Store } from '#cache'
import {
  type Bytes,
  type Compression,
  chunkedAnnotations,
  type Descriptor,
  type DiffId,
} from '#core'
import { LAYER_TYPES } from './image-layer.ts'

/** How a layer is packed: with equal values equal bytes come of equal ones. */
export interface Packing {
  readonly compression: Compression
  /** Default: a balance of the compression. */
  readonly level?: number | undefined
}

/** What a tar is packed to while it is read. */
export interface PackedTar {
  readonly bytes: Bytes
  /** What the descriptor is to say of the bytes, after the last one of them. */
  readonly annotations: () => Descriptor['annotations']
}

/** What is larger than this part of what is free on the disk leaves the rest to others. */
const PART_OF_FREE = 1 / 4

/** A packing as the store keeps it. */
export function packingName({ compression, level }: Packing): string {
  return level === undefined ? compression : `${compression} ${level}`
}

/** @param options.atOnce see `CompressOptions` */
export function packTar(
  tar: Bytes,
  { compression, ...options }: Packing & { readonly atOnce?: () => number },
): PackedTar {
  let annotations: Descriptor['annotations']
  const onAnnotations = (found: Descriptor['annotations']): void => {
    annotations = found
  }
  const bytes = compress(tar, compression, { ...options, onAnnotations })
  return { bytes, annotations: () => annotations }
}

/** Blobs that are known to be a layer packed in this way, at any level. */
export function packedBlobs(
  { layers }: Pick<Store, 'layers'>,
  diffId: DiffId,
  compression: Compression,
): readonly Descriptor[] {
  const blobs = layers
    .compressed(diffId)
    .filter(({ mediaType }) => mediaType === LAYER_TYPES[compression])
  if (compression !== 'zstd:chunked') return blobs
  const known = layers.annotations(diffId)
  return blobs.flatMap((blob) => {
    const annotations = known.get(blob.digest)
    return annotations === undefined ? [] : [{ ...blob, ...chunkedAnnotations({ annotations }) }]
  })
}

/** Whether the disk has room for what a tar of so many bytes is packed to. */
export function hasRoom({ root }: Pick<Store, 'root'>, size: number): boolean {
  return size <= freeBytes(root) * PART_OF_FREE
}

/** For a copy of a blob that is sent, where the disk has room for it. */
export function draftFor(store: Store, size: number): BlobDraft | undefined {
  return hasRoom(store, size) ? store.blobs.draft() : undefined
}

/** Keeps a copy, if there is one, of a blob that was sent. */
export function keepDraft(
  store: Store,
  draft: BlobDraft | undefined,
  blob: Pick<Descriptor, 'digest' | 'size'>,
): void {
  const { file } = draft ?? {}
  if (file?.size === blob.size) store.blobs.keep(file.path, blob)
}

/** Remembers what a layer was packed to. */
export function rememberPacked(
  store: Store,
  diffId: DiffId,
  { packing, ...blob }: Descriptor & { readonly packing: Packing },
): void {
  // Of what is chunked the store knows, too, that there is nothing to say.
  const annotations = packing.compression === 'zstd:chunked' ? (blob.annotations ?? {}) : undefined
  const { mediaType, digest, size } = blob
  const known = { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) }
  store.layers.addPacked(diffId, { ...known, packing: packingName(packing) })
}
