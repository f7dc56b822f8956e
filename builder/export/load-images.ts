import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TemporaryDirectory } from '#cache'
import {
  type Compression,
  type Descriptor,
  type DiffId,
  type Digest,
  describeDocument,
  type EncodedDocument,
  type GraphSink,
  hostPlatform,
  type Platform,
  platformDistance,
  type TransferOptions,
  writeGraph,
} from '#core'
import type { Reference } from '#registry-client'
import { readFile } from './archive/read-file.ts'
import { type LoadRequest, loadIntoEngine } from './container-engine/load.ts'
import type {
  Offer,
  OfferedDocument,
  OfferedImage,
  OfferedLayer,
} from './container-engine/offer.ts'
import { formedImagesOf, graphOf } from './graph.ts'
import type { ImageSet } from './image.ts'
import { type ImageLayer, layerKey } from './layers/image-layer.ts'
import { type LayerBlobs, layerBlob } from './layers/layer-blob.ts'
import { hasRoom, rememberPacked } from './layers/packing.ts'
import { spool } from './layout-sink.ts'
import { formedGraph } from './manifests/formed-graph.ts'
import type { ImageForm } from './manifests/image-form.ts'

/** How layers get their form. */
interface OfferOptions extends LayerBlobs, TransferOptions {
  readonly compression: Compression
  readonly form: ImageForm
  /** Where layers are packed. */
  readonly temporary: TemporaryDirectory
}

/** Loads images into the engine that is asked for. @returns the index, or the only manifest */
export async function loadImages(
  set: ImageSet,
  names: readonly Reference[],
  options: OfferOptions & LoadRequest,
): Promise<Descriptor> {
  const offer = await offerOf(set, names, options)
  await loadIntoEngine(offer, options)
  return offer.root
}

/**
 * Images as they can be sent in parts. Nothing is read of a layer that need not be packed.
 * @internal
 */
export async function offerOf(
  set: ImageSet,
  names: readonly Reference[],
  options: OfferOptions,
): Promise<Offer> {
  const layers = new Map<Descriptor, OfferedLayer>()
  const documents = new Map<Digest, OfferedDocument>()
  const put = async (document: EncodedDocument): Promise<Descriptor> => {
    const descriptor = describeDocument(document)
    documents.set(descriptor.digest, { ...document, descriptor })
    return descriptor
  }
  const sink: GraphSink<ImageLayer> = {
    concurrency: 1,
    keyOf: layerKey,
    putLayer: async (layer, { signal }) => {
      const offered = await offerLayer(layer, layers.size, { ...options, signal })
      layers.set(offered.descriptor, offered)
      return offered.descriptor
    },
    putConfig: put,
    putManifest: put,
    name: async () => undefined,
  }
  const draft = formedGraph(graphOf(set), formedImagesOf(set), options.form)
  const { root, manifests } = await writeGraph(draft, sink, options)
  const images = manifests.map(({ descriptor, config, layers: described }) => ({
    manifest: descriptor,
    config,
    layers: described.flatMap((one) => layers.get(one) ?? []),
  }))
  const ofImages = new Set(images.flatMap((image) => image.layers))
  const statements = [...layers.values()].filter((layer) => !ofImages.has(layer))
  const local = localOf(set, images)
  return { root, images, local, documents: [...documents.values()], statements, names }
}

async function offerLayer(
  layer: ImageLayer,
  position: number,
  options: OfferOptions,
): Promise<OfferedLayer> {
  const { store, early, compression, level, temporary, signal } = options
  const { diffId } = layer
  await early?.find(diffId, compression)?.made.catch(() => undefined)
  const blob = layerBlob(layer, compression, options)
  const { descriptor: known, mediaType, open } = blob
  if (known !== undefined) return storedLayer(diffId, known, { store, open })
  const file = join(temporary.path, `layer-${position}`)
  const packed = await spool(await open({ signal }), file)
  const descriptor = blob.describe({ mediaType, ...packed })
  rememberPacked(store, diffId, { ...descriptor, packing: { compression, level } })
  if (hasRoom(store, packed.size) && store.blobs.keep(file, packed)) {
    return storedLayer(diffId, descriptor, { store, open: () => store.blobs.open(descriptor) })
  }
  return { diffId, descriptor, path: () => file, open: async () => readFile(file) }
}

function storedLayer(
  diffId: DiffId,
  descriptor: Descriptor,
  { store, open }: Pick<OfferOptions, 'store'> & Pick<OfferedLayer, 'open'>,
): OfferedLayer {
  const inStore = store.blobs.path(descriptor.digest)
  const path = (): string | undefined => (existsSync(inStore) ? inStore : undefined)
  return { diffId, descriptor, path, open }
}

/** The image that runs here best; the first one where none does. */
function localOf({ images }: ImageSet, offered: readonly OfferedImage[]): OfferedImage {
  const host = hostPlatform()
  const distance = (platform: Platform): number =>
    platformDistance(host, platform) ?? Number.POSITIVE_INFINITY
  const best = images.reduce((found, { platform }, position) => {
    const current = images[found]?.platform
    return current !== undefined && distance(platform) < distance(current) ? position : found
  }, 0)
  const image = offered[best]
  if (image === undefined) throw new Error('an offer has at least one image')
  return image
}
