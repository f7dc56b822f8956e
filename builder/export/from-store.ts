import { type ElsewhereDeps, elsewhereSource, storeSource } from '#builder/plan'
import { elsewhereOf } from '#cache'
import {
  collect,
  compressionOf,
  type Descriptor,
  type DiffId,
  hostPlatform,
  type ImageConfig,
  isIndexType,
  type Manifest,
  parseIndex,
} from '#core'
import { resolveImage } from '#registry-client'
import type { FinishedImage, ImageSet } from './image.ts'
import type { ImageLayer } from './layers/image-layer.ts'

/**
 * An image of the local store, or all images of an index, ready to be sent somewhere.
 * @throws {TsbuildError} NOT_FOUND, MANIFEST_INVALID when it is damaged
 */
export async function readFromStore(target: Descriptor, deps: ElsewhereDeps): Promise<ImageSet> {
  const { store } = deps
  if (!isIndexType(target.mediaType)) {
    return { images: [await readImage(target, deps)], isIndex: false }
  }
  const { manifests } = parseIndex(
    await collect(await store.blobs.open(target), target.size),
    target.mediaType,
  )
  const images = await Promise.all(manifests.map((manifest) => readImage(manifest, deps)))
  return { images, isIndex: true }
}

async function readImage(manifest: Descriptor, deps: ElsewhereDeps): Promise<FinishedImage> {
  const {
    config,
    configBytes,
    manifest: document,
  } = await resolveImage(storeSource(deps.store), manifest.digest, {
    platform: manifest.platform ?? hostPlatform(),
  })
  const layers = layersOf(document, config, deps)
  const platform = manifest.platform ?? config.platform
  return { platform, config, configBytes, id: document.config.digest, layers }
}

function layersOf(
  manifest: Manifest,
  config: ImageConfig,
  deps: ElsewhereDeps,
): readonly ImageLayer[] {
  const { store } = deps
  return manifest.layers.map((descriptor, index) => {
    const diffId: DiffId | undefined = config.diffIds[index]
    if (diffId === undefined) throw new Error('resolveImage checks that every layer has a diffID')
    const isPlain = compressionOf(descriptor.mediaType) === 'none'
    const size = isPlain ? descriptor.size : store.layers.findByDiffId(diffId)?.size
    const origin = elsewhereOf(descriptor)
    if (origin !== undefined) {
      return { diffId, size, blob: { descriptor, source: elsewhereSource(origin, deps) }, origin }
    }
    const blob = isPlain ? undefined : { descriptor, source: store.blobs }
    return { diffId, size, blob, origin }
  })
}
