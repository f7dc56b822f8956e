import { type EarlyLayers, LAYER_TYPES, layerBlob, packTar, sendLayer } from '#builder/export'
import { decompress } from '#builder/layer'
import type { SolvedStep } from '#builder/solve'
import type { RemoteLayer, RepositoryName, Store, TarFacts } from '#cache'
import {
  type Bytes,
  type Compression,
  chunkedAnnotations,
  type Descriptor,
  packedAs,
  throwIfCancelled,
} from '#core'
import type { SharedLayer } from '../records/shared-result.ts'
import type { LayerShelf } from './upload-report.ts'

/** Where layers go, and how they are packed. */
export interface LayerUpload {
  readonly shelf: LayerShelf
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

/** Sees to it that a shelf has a layer whose tar is in the store. */
export async function shareTar(tar: TarFacts, upload: LayerUpload): Promise<SharedLayer> {
  const blob = (await findKnown(tar, upload)) ?? (await sendTar(tar, upload))
  return { ...tar, blobs: [blob] }
}

async function shareRemote(
  { diffId, size, presumed, blob, source, origin }: RemoteLayer,
  { shelf, compression, level, isForced, signal }: LayerUpload,
): Promise<SharedLayer | undefined> {
  const shared = (one: Descriptor): SharedLayer => ({ diffId, size, presumed, blobs: [one] })
  const packed = packedAs(blob)
  if (isForced && packed !== undefined && packed !== compression) {
    let said: (() => Descriptor['annotations']) | undefined
    const open = async (): Promise<Bytes> => {
      const tar = decompress(await source.open(blob, { signal }), packed)
      const { bytes, annotations: found } = packTar(tar, { compression, level })
      said = found
      return bytes
    }
    const sent = await shelf.streamBlob(LAYER_TYPES[compression], open, { signal })
    return shared({ ...sent, ...chunkedAnnotations({ annotations: said?.() }) })
  }
  if (await shelf.source.has(blob, { signal })) return shared(blob)
  const from = origin === undefined ? [] : [origin]
  if (await shelf.mountBlob(blob, from, { signal })) return shared(blob)
  if (!(await source.has(blob, { signal }))) return undefined
  await shelf.putBlob(blob, () => source.open(blob, { signal }), { signal })
  return shared(blob)
}

async function shareMade(step: SolvedStep, upload: LayerUpload): Promise<SharedLayer | undefined> {
  const { layers } = upload.store
  const diffId = await step.diffId()
  if (diffId === undefined) return undefined
  const size = layers.findByDiffId(diffId)?.size
  const known = size === undefined ? undefined : await findKnown({ diffId, size }, upload)
  if (known !== undefined && size !== undefined) {
    return { diffId, size, presumed: layers.presumed(diffId), blobs: [known] }
  }
  const tar = await step.packed()
  return { ...tar, blobs: [await sendTar(tar, upload)] }
}

type Tar = Pick<TarFacts, 'diffId' | 'size'>

function layerOf({ diffId, size }: Tar): Parameters<typeof layerBlob>[0] {
  return { diffId, size, blob: undefined, origin: undefined }
}

function sendTar(tar: Tar, upload: LayerUpload): Promise<Descriptor> {
  const { shelf, signal } = upload
  return sendLayer(layerOf(tar), upload, async ({ mediaType, descriptor, open }) => {
    const openBlob = (): Promise<Bytes> => open({ signal })
    if (descriptor === undefined) return await shelf.streamBlob(mediaType, openBlob, { signal })
    await shelf.putBlob(descriptor, openBlob, { signal })
    return descriptor
  })
}

/** A blob that the layer was packed to before and that the shelf has, or takes over. */
async function findKnown(tar: Tar, upload: LayerUpload): Promise<Descriptor | undefined> {
  const { shelf, siblings, compression, signal } = upload
  const { descriptor, packedBefore } = layerBlob(layerOf(tar), compression, upload)
  // A plain tar is packed to itself.
  const candidates =
    descriptor === undefined || packedBefore.length > 0 ? packedBefore : [descriptor]
  for (const blob of candidates) {
    if (await shelf.source.has(blob, { signal })) return blob
    if (await shelf.mountBlob(blob, siblings, { signal })) return blob
  }
  return undefined
}
