import type { Store } from '#cache'
import { type Bytes, type Compression, type Descriptor, MEDIA_TYPES, together } from '#core'
import {
  type PushLayer,
  type PushProgress,
  pushImage,
  pushManifest,
  type Reference,
  type RegistryClient,
  type Repository,
} from '#registry-client'
import { type FinishedImage, type ImageLayer, type ImageSet, withPlatforms } from './image.ts'
import { layerBlob } from './layer-blob.ts'
import { indexDocument, manifestDocument } from './manifest.ts'
import { checkOwners } from './owner-check.ts'

export interface RegistryOptions {
  readonly store: Store
  readonly client: RegistryClient
  readonly compression: Compression
  /** A repository of the same registry that has the whole image already. */
  readonly sibling?: string | undefined
  /** Push layers, too, of which some files have owners that are presumed. */
  readonly ignoreChownErrors: boolean
  readonly onProgress: (progress: PushProgress) => void
  readonly signal: AbortSignal | undefined
}

/**
 * Pushes to one repository under all of its tags, which come last.
 * @throws {TsbuildError} PERMISSION_DENIED for owners that are presumed, and registry failures
 */
export async function exportToRegistry(
  { images, isIndex }: ImageSet,
  references: readonly [Reference, ...Reference[]],
  options: RegistryOptions,
): Promise<Descriptor> {
  const { client, store, signal } = options
  if (!options.ignoreChownErrors) checkOwners(images, store)
  const repository = client.repository(references[0])
  const tags = references.flatMap(({ tag }) => (tag === undefined ? [] : [tag]))
  const manifests: Descriptor[] = []
  for (const image of images) {
    manifests.push(await pushOne(image, { references, tags: isIndex ? [] : tags, options }))
  }
  const [only] = manifests
  if (only === undefined) throw new Error('a build has at least one image')
  if (!isIndex) return only
  const index = indexDocument(withPlatforms(images, manifests))
  return pushManifest(repository, index, { tags, signal })
}

interface PushTarget {
  readonly references: readonly [Reference, ...Reference[]]
  readonly tags: readonly string[]
  readonly options: RegistryOptions
}

/** Pushes the image of one platform, and remembers what the layers were packed to. */
async function pushOne(
  image: FinishedImage,
  { references: [target], tags, options }: PushTarget,
): Promise<Descriptor> {
  const { store, client, onProgress, signal } = options
  const repository = client.repository(target)
  const looking = image.layers.map((layer) => (stop: AbortSignal) => {
    return pushLayer(layer, { target, repository, options, stop })
  })
  const layers = await together(looking, signal)
  const pushed = await pushImage(repository, {
    layers,
    config: { mediaType: MEDIA_TYPES.ociConfig, bytes: image.configBytes },
    assemble: manifestDocument,
    tags,
    onProgress,
    signal,
  })
  for (const [index, { diffId }] of image.layers.entries()) {
    const descriptor = pushed.layers[index]
    const wasPacked = layers[index]?.kind === 'stream'
    if (wasPacked && descriptor !== undefined) store.layers.addCompressed(diffId, descriptor)
  }
  return pushed.manifest
}

interface PushPlace {
  readonly target: Reference
  readonly repository: Repository
  readonly options: RegistryOptions
  /** Stops the looking for what is there. */
  readonly stop: AbortSignal
}

async function pushLayer(layer: ImageLayer, place: PushPlace): Promise<PushLayer> {
  const { target, options } = place
  const { store, compression, sibling, signal } = options
  const { diffId: id, origin } = layer
  const blob = layerBlob(layer, compression, store)
  const { mediaType } = blob
  const open = (): Promise<Bytes> => blob.open({ signal })
  const descriptor = blob.descriptor ?? (await findPacked(blob.packedBefore, place))
  if (descriptor === undefined) return { kind: 'stream', id, mediaType, open }
  const home = origin?.registry === target.registry ? origin.repository : undefined
  const mountFrom = sibling ?? (home === target.repository ? undefined : home)
  return { kind: 'blob', id, descriptor, open, mountFrom }
}

/** One of the blobs that the repository has, or takes over from its sibling. */
async function findPacked(
  candidates: readonly Descriptor[],
  { repository, options: { sibling }, stop }: PushPlace,
): Promise<Descriptor | undefined> {
  const options = { signal: stop }
  for (const candidate of candidates) {
    if (await repository.has(candidate, options)) return candidate
    if (sibling === undefined) continue
    if (await repository.mount(candidate, sibling, options)) return candidate
  }
  return undefined
}
