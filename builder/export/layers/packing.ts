import { type BlobDraft, freeBytes, type Store } from '#cache'
import type { Compression, Descriptor, DiffId } from '#core'

/** How a layer is packed: with equal values equal bytes come of equal ones. */
export interface Packing {
  readonly compression: Compression
  /** Default: a balance of the compression. */
  readonly level?: number | undefined
}

/** What is larger than this part of what is free on the disk leaves the rest to others. */
const PART_OF_FREE = 1 / 4

/** A packing as the store keeps it. */
export function packingName({ compression, level }: Packing): string {
  return level === undefined ? compression : `${compression} ${level}`
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
  store.layers.addPacked(diffId, { ...blob, packing: packingName(packing) })
}
