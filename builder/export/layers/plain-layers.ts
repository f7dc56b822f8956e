import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { decompress } from '#builder/layer'
import type { Store } from '#cache'
import {
  type Compression,
  compressionOf,
  Digester,
  packedAs,
  TsbuildError,
  throwIfCancelled,
  uncompressedDigest,
} from '#core'
import type { ImageLayer } from './image-layer.ts'
import { layerBlob } from './layer-blob.ts'

/** What layers are unpacked with. */
export interface PlainDeps {
  readonly store: Store
  readonly signal: AbortSignal | undefined
}

/** Layers of which those of another compression are tars in the store, for an output to pack. */
export async function plainLayers(
  layers: readonly ImageLayer[],
  compression: Compression,
  deps: PlainDeps,
): Promise<readonly ImageLayer[]> {
  const found: ImageLayer[] = []
  for (const layer of layers) {
    const { blob } = layer
    const isAsWanted = blob === undefined || packedAs(blob.descriptor) === compression
    found.push(isAsWanted ? layer : await plainLayer(layer, deps))
  }
  return found
}

/** @throws {TsbuildError} DIGEST_MISMATCH for a blob that does not hold the layer */
async function plainLayer(layer: ImageLayer, { store, signal }: PlainDeps): Promise<ImageLayer> {
  const { diffId, blob } = layer
  const digest = uncompressedDigest(diffId)
  const there = store.blobs.stat(digest)
  if (there !== undefined) return { ...layer, size: there, blob: undefined }
  const compression = blob === undefined ? undefined : compressionOf(blob.descriptor.mediaType)
  // What is no tar, such as a statement, is never packed.
  if (compression === undefined) return layer
  await using temporary = store.temporary()
  const path = join(temporary.path, 'tar')
  const digester = new Digester()
  const { open: openBlob } = layerBlob(layer, 'none', { store, early: undefined })
  {
    await using file = await open(path, 'wx')
    for await (const chunk of decompress(await openBlob({ signal }), compression)) {
      throwIfCancelled(signal, 'unpack a layer')
      digester.update(chunk)
      await file.writeFile(chunk)
    }
  }
  if (digester.digest() !== digest) {
    throw new TsbuildError(`unpack layer ${diffId}: its blob holds another one`, {
      code: 'DIGEST_MISMATCH',
      hint: 'the image that it is of is damaged: pull it again',
    })
  }
  const { size } = digester
  await store.blobs.adopt(path, digest, size)
  return { ...layer, size, blob: undefined }
}
