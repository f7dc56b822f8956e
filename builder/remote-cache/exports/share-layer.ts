import { type EarlyLayers, type ImageLayer, LAYER_TYPES, layerBlob } from '#builder/export'
import { compress, decompress } from '#builder/layer'
import type { SolvedStep } from '#builder/solve'
import type { RemoteLayer, RepositoryName, Store } from '#cache'
import {
  type Bytes,
  type Compression,
  compressionOf,
  type Descriptor,
  type DiffId,
  throwIfCancelled,
  uncompressedDigest,
} from '#core'
import type { SharedLayer } from '../records/shared-result.ts'
import type { CacheShelf } from '../shelf/cache-shelf.ts'

/** Where layers go, and how they are packed. */
export interface LayerUpload {
  readonly shelf: CacheShelf
  readonly store: Store
  readonly early: Pick<EarlyLayers, 'find'>
  readonly compression: Compression
  /** Of what is packed for this cache. */
  readonly level: number | undefined
  /** Layers that come packed in another way are packed anew. */
  readonly isForced: boolean
  /** Repositories that may have the layers of the image. */
  readonly siblings: readonly RepositoryName[]
  readonly signal: AbortSignal | undefined
}

/**
 * Sees to it that a shelf has the layer of a step: it may have it already, take it over from another
 * repository, or gets it packed while it is sent.
 * @returns `undefined` for a layer that no tar can hold, or that is not where it was any more
 */
export async function shareLayer(
  step: SolvedStep,
  upload: LayerUpload,
): Promise<SharedLayer | undefined> {
  throwIfCancelled(upload.signal, `export ${step.description}`)
  const remote = step.remote()
  return remote === undefined ? await shareMade(step, upload) : await shareRemote(remote, upload)
}

async function shareRemote(
  { diffId, size, presumed, blob, source, origin }: RemoteLayer,
  { shelf, compression, level, isForced, signal }: LayerUpload,
): Promise<SharedLayer | undefined> {
  const shared = (one: Descriptor): SharedLayer => ({ diffId, size, presumed, blobs: [one] })
  const packed = compressionOf(blob.mediaType)
  if (isForced && packed !== undefined && packed !== compression) {
    const open = async (): Promise<Bytes> =>
      compress(decompress(await source.open(blob, { signal }), packed), compression, { level })
    return shared(await shelf.streamBlob(LAYER_TYPES[compression], open, { signal }))
  }
  if (await shelf.source.has(blob, { signal })) return shared(blob)
  if (origin !== undefined && (await shelf.mountBlob(blob, origin, { signal }))) return shared(blob)
  if (!(await source.has(blob, { signal }))) return undefined
  await shelf.putBlob(blob, () => source.open(blob, { signal }), { signal })
  return shared(blob)
}

async function shareMade(step: SolvedStep, upload: LayerUpload): Promise<SharedLayer | undefined> {
  const { shelf, store, early, compression, level, signal } = upload
  const diffId = await step.diffId()
  if (diffId === undefined) return undefined
  const known = await findKnown(diffId, upload)
  const size = store.layers.findByDiffId(diffId)?.size
  if (known !== undefined && size !== undefined) {
    return { diffId, size, presumed: store.layers.presumed(diffId), blobs: [known] }
  }
  const tar = await step.packed()
  const { diffId: packedId, size: bytes } = tar
  const layer: ImageLayer = { diffId: packedId, size: bytes, blob: undefined, origin: undefined }
  const { mediaType, descriptor, open } = layerBlob(layer, compression, { store, early })
  const plain = layerBlob(layer, 'none', { store, early })
  const openBlob = async (): Promise<Bytes> =>
    level === undefined
      ? open({ signal })
      : compress(await plain.open({ signal }), compression, { level })
  if (descriptor !== undefined) {
    await shelf.putBlob(descriptor, () => open({ signal }), { signal })
    return { ...tar, blobs: [descriptor] }
  }
  const sent = await shelf.streamBlob(mediaType, openBlob, { signal })
  store.layers.addCompressed(tar.diffId, sent)
  return { ...tar, blobs: [sent] }
}

/** A blob that the layer was packed to before and that the shelf has, or takes over. */
async function findKnown(
  diffId: DiffId,
  { shelf, store, compression, siblings, signal }: LayerUpload,
): Promise<Descriptor | undefined> {
  for (const blob of packedBefore(diffId, { store, compression })) {
    if (await shelf.source.has(blob, { signal })) return blob
    for (const sibling of siblings) {
      if (await shelf.mountBlob(blob, sibling, { signal })) return blob
    }
  }
  return undefined
}

function packedBefore(
  diffId: DiffId,
  { store, compression }: Pick<LayerUpload, 'store' | 'compression'>,
): readonly Descriptor[] {
  const mediaType = LAYER_TYPES[compression]
  if (compression !== 'none') {
    return store.layers.compressed(diffId).filter((one) => one.mediaType === mediaType)
  }
  const size = store.layers.findByDiffId(diffId)?.size
  return size === undefined ? [] : [{ mediaType, digest: uncompressedDigest(diffId), size }]
}
