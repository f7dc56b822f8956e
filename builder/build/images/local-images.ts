import type { NamedImage, Store } from '#cache'
import {
  collect,
  type Descriptor,
  hostPlatform,
  type ImageConfig,
  MAX_DOCUMENT_BYTES,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  platformDistance,
  TsbuildError,
} from '#core'
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '#registry-client'

/** An image of the local store with what its documents say. */
export interface LocalImage {
  /** Canonical names, sorted. */
  readonly names: readonly string[]
  /** What the names point to: a manifest, or the index that holds it. */
  readonly target: Descriptor
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
  /** When the image was made, where the store knows. */
  readonly createdAt: Date | undefined
}

/** A name as the store has it: with registry and tag. @throws {TsbuildError} REFERENCE_INVALID */
export function canonicalName(text: string): string {
  return formatReference(withDefaultTag(parseReference(text)))
}

/** A canonical name as people write it, split at the tag; other tools' names stay as they are. */
export function splitName(name: string): { readonly repository: string; readonly tag: string } {
  const reference = referenceOrUndefined(name)
  if (reference === undefined) return { repository: name, tag: '<none>' }
  const { registry, repository, tag } = reference
  return { repository: familiarReference({ registry, repository }), tag: tag ?? '<none>' }
}

function referenceOrUndefined(name: string): Reference | undefined {
  try {
    return parseReference(name)
  } catch (error) {
    if (error instanceof TsbuildError) return undefined
    throw error
  }
}

/** Every image that has a name; one that cannot be read is passed to `onDamaged` and left out. */
export async function readImages(
  store: Store,
  onDamaged: (names: readonly string[], error: TsbuildError) => void,
): Promise<readonly LocalImage[]> {
  const byTarget = Map.groupBy(store.images.list(), ({ descriptor }) => descriptor.digest)
  const images: LocalImage[] = []
  for (const named of byTarget.values()) {
    try {
      images.push(await readImage(store, named))
    } catch (error) {
      if (!(error instanceof TsbuildError)) throw error
      onDamaged(
        named.map(({ name }) => name),
        error,
      )
    }
  }
  return images
}

/** One image by its names, of which there is one at least. @throws {TsbuildError} as `readLocalDocuments` */
export async function readImage(store: Store, named: readonly NamedImage[]): Promise<LocalImage> {
  const [first] = named
  if (first === undefined) throw new Error('an image without a name')
  const target = first.descriptor
  const { descriptor, manifest, config } = await readLocalDocuments(store, target)
  const names = named.map(({ name }) => name).sort()
  const { createdAt } = first
  return { names, target, descriptor, manifest, config, createdAt }
}

/** What the documents of an image say. */
export interface LocalDocuments {
  /** Of the manifest. */
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
  readonly configBytes: Buffer
}

/**
 * Reads what a name leads to: the manifest itself, or of an index the one in the store that fits a platform best.
 * @param platform default: that of this machine
 * @throws {TsbuildError} NOT_FOUND, MANIFEST_INVALID, CONFIG_INVALID
 */
export async function readLocalDocuments(
  store: Store,
  target: Descriptor,
  platform: Platform = hostPlatform(),
): Promise<LocalDocuments> {
  const document = parseManifestOrIndex(await readDocument(store, target), target.mediaType)
  if (document.kind === 'manifest') {
    const { manifest } = document
    const configBytes = await readDocument(store, manifest.config)
    return { descriptor: target, manifest, config: parseImageConfig(configBytes), configBytes }
  }
  const ranked = document.index.manifests
    .filter(({ digest }) => store.blobs.stat(digest) !== undefined)
    .map((descriptor) => ({ descriptor, distance: distanceTo(platform, descriptor) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best === undefined) {
    throw new TsbuildError(`index ${target.digest} holds no manifest that is in the store`, {
      code: 'NOT_FOUND',
    })
  }
  return await readLocalDocuments(store, best.descriptor, platform)
}

function distanceTo(wanted: Platform, descriptor: Descriptor): number {
  const far = Number.MAX_SAFE_INTEGER
  if (descriptor.platform === undefined) return far
  return platformDistance(wanted, descriptor.platform) ?? far
}

async function readDocument(store: Store, descriptor: Descriptor): Promise<Buffer> {
  return await collect(await store.blobs.open(descriptor), MAX_DOCUMENT_BYTES)
}
