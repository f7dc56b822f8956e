import type { BlobDraft, Store } from '#cache'
import {
  type Bytes,
  type Compression,
  chunkedAnnotations,
  compressionOf,
  type Descriptor,
  type TransferOptions,
  toOciMediaType,
  uncompressedDigest,
} from '#core'
import type { EarlyLayers } from './early-layers.ts'
import { type ImageLayer, LAYER_TYPES } from './image-layer.ts'
import {
  draftFor,
  keepDraft,
  packedBlobs,
  packingName,
  packTar,
  rememberPacked,
} from './packing.ts'

/** The bytes of a layer in the wanted compression, and their descriptor where it is known. */
export interface LayerBlob {
  readonly mediaType: string
  readonly descriptor: Descriptor | undefined
  /** Blobs that the layer was packed to before, which a registry may have: those of this packing first. */
  readonly packedBefore: readonly Descriptor[]
  readonly open: (options?: OpenLayerOptions) => Promise<Bytes>
  /** The descriptor of what was sent, with what it says of files in the blob; after `open`'s last byte. */
  readonly describe: (sent: Descriptor) => Descriptor
}

/** How the bytes of a layer are opened. */
export interface OpenLayerOptions extends TransferOptions {
  /** Gets them, too, where the store does not have them, nor is getting them. */
  readonly draft?: BlobDraft | undefined
}

/** Where blobs of layers are. */
export interface LayerBlobs {
  readonly store: Store
  /** Layers that are packed early; `undefined` outside of a build. */
  readonly early: Pick<EarlyLayers, 'find'> | undefined
  /** How well layers are packed that are packed anew; default: a balance of the compression. */
  readonly level?: number | undefined
}

/**
 * The blob of a layer, packed in one way. A blob from elsewhere stays as it is, whatever its compression,
 * so that its registry has it already. A layer made here is compressed while it is read, unless that was
 * begun early, or the store has kept what was packed in the same way before. Its other earlier blobs are
 * candidates only: another version of the compressor makes other bytes.
 */
export function layerBlob(
  layer: ImageLayer,
  compression: Compression,
  { store, early, level }: LayerBlobs,
): LayerBlob {
  const { blob, diffId } = layer
  if (blob !== undefined && !isPlain(blob.descriptor)) return existing(blob, store)
  if (compression === 'none') return plain(layer, store)
  const mediaType = LAYER_TYPES[compression]
  const packings = store.layers.packings(diffId)
  const wanted = packingName({ compression, level })
  const others = new Set(packings.values())
  const rankOf = ({ digest }: Descriptor): number => {
    if (packings.get(wanted) === digest) return AS_WANTED
    return others.has(digest) ? OTHERWISE : ELSEWHERE
  }
  const packedBefore = packedBlobs(store, diffId, compression).toSorted(
    (a, b) => rankOf(a) - rankOf(b),
  )
  let packedNow: () => Descriptor['annotations'] = () => undefined
  const isHere = ({ digest, size }: Descriptor): boolean => store.blobs.statSpare(digest) === size
  const kept = packedBefore.find((one) => rankOf(one) < OTHERWISE && isHere(one))
  const open: LayerBlob['open'] = async (options) => {
    // One that turned out to be damaged is not there any more.
    if (kept !== undefined && isHere(kept)) return store.blobs.open(kept, options)
    const growing = level === undefined ? early?.find(diffId, compression) : undefined
    if (growing !== undefined) {
      packedNow = growing.annotations
      return growing.open()
    }
    const packed = packTar(await plain(layer, store).open(options), { compression, level })
    packedNow = packed.annotations
    return options?.draft?.copying(packed.bytes) ?? packed.bytes
  }
  const describe: LayerBlob['describe'] = (sent) => {
    const known = packedBefore.find(({ digest }) => digest === sent.digest)
    const annotations = known === undefined ? packedNow() : known.annotations
    return annotations === undefined ? sent : { ...sent, annotations }
  }
  return { mediaType, descriptor: kept, packedBefore, open, describe }
}

/** Where a layer was packed; here in another way comes last. */
const [AS_WANTED, ELSEWHERE, OTHERWISE] = [0, 1, 2] as const

/**
 * Has the blob of a layer sent somewhere. What is packed for that is remembered, and kept as far as the disk has room,
 * so that it is packed once; what is fetched for it is kept, too.
 * @param send returns what the bytes turned out to be
 */
export async function sendLayer(
  layer: ImageLayer,
  { compression, ...blobs }: LayerBlobs & { readonly compression: Compression },
  send: (blob: LayerBlob) => Promise<Descriptor>,
): Promise<Descriptor> {
  const { store, level } = blobs
  const blob = layerBlob(layer, compression, blobs)
  let draft: BlobDraft | undefined
  let isOpened = false
  const open: LayerBlob['open'] = (options) => {
    isOpened = true
    draft ??= draftFor(store, blob.descriptor?.size ?? layer.size ?? 0)
    return blob.open({ ...options, draft })
  }
  const sent = blob.describe(await send({ ...blob, open }))
  keepDraft(store, draft, sent)
  if (isOpened && blob.descriptor === undefined) {
    rememberPacked(store, layer.diffId, { ...sent, packing: { compression, level } })
  }
  return sent
}

/** Reads from the store what was fetched for a step already. */
function existing(blob: NonNullable<ImageLayer['blob']>, store: Store): LayerBlob {
  const { source } = blob
  const { digest, size } = blob.descriptor
  const mediaType = toOciMediaType(blob.descriptor.mediaType)
  const descriptor = { mediaType, digest, size, ...chunkedAnnotations(blob.descriptor) }
  return {
    mediaType,
    descriptor,
    packedBefore: [],
    describe: () => descriptor,
    open: async (options) => {
      if (store.blobs.statSpare(digest) === size) return store.blobs.open(blob.descriptor, options)
      const bytes = await source.open(blob.descriptor, options)
      return options?.draft?.copying(bytes) ?? bytes
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
  return { mediaType, descriptor, packedBefore: [], open, describe: (sent) => sent }
}

function isPlain(descriptor: Descriptor): boolean {
  return compressionOf(descriptor.mediaType) === 'none'
}
