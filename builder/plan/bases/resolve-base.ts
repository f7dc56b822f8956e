import { elsewhereOf, type Store } from '#cache'
import {
  type BlobSource,
  collect,
  compressionOf,
  copyBlob,
  type Descriptor,
  type DiffId,
  type Digest,
  formatPlatform,
  type ImageConfig,
  isDigest,
  isSameMachine,
  MAX_DOCUMENT_BYTES,
  mediaTypeOf,
  type OnEvent,
  type Platform,
  platformDistance,
  reported,
  TsbuildError,
  uncompressedDigest,
} from '#core'
import {
  type FetchedManifest,
  familiarReference,
  formatReference,
  type ImageSource,
  parseReference,
  type Reference,
  type RegistryClient,
  type Repository,
  type ResolvedImage,
  resolveImage,
  withDefaultTag,
} from '#registry-client'
import { elsewhereSource } from './elsewhere-source.ts'
import { layoutSource } from './layout-source.ts'

/** A pinned base image: its config is read, its layers are not. */
export interface ResolvedBase {
  /** The name with the digest that it resolved to: `docker.io/library/debian:12@sha256:…`. */
  readonly name: string
  /** Digest of the manifest for the platform; `undefined` where nothing was resolved. */
  readonly manifest: Digest | undefined
  readonly config: ImageConfig
  /** Bottom layer first. */
  readonly layers: readonly BaseLayer[]
}

/** Pinned images by the name in the Dockerfile and the platform. */
export type BaseLookup = (name: string, platform: Platform) => ResolvedBase

/** A layer of a base image, and where its blob can be read. */
export interface BaseLayer {
  readonly diffId: DiffId
  readonly descriptor: Descriptor
  readonly source: BlobSource
  /** Where the blob is in a registry, so that a push to the same one can mount it. */
  readonly origin: Pick<Reference, 'registry' | 'repository'> | undefined
}

/** What resolving a base image needs. */
export interface BaseOptions {
  readonly store: Store
  readonly client: () => RegistryClient
  /** Ask the registry even when the local store has the name. */
  readonly pull: boolean
  readonly onEvent: OnEvent
  readonly signal: AbortSignal | undefined
}

const LAYOUT = 'oci-layout://'

/**
 * Resolves what a FROM line or `--from` names, for one platform.
 * @throws {TsbuildError} REFERENCE_INVALID, NOT_FOUND, PLATFORM_MISMATCH and registry failures
 */
export async function resolveBase(
  name: string,
  platform: Platform,
  options: BaseOptions,
): Promise<ResolvedBase> {
  if (name.startsWith(LAYOUT)) return resolveLayout(name, platform, options)
  const reference = withDefaultTag(parseReference(name))
  const local = options.pull ? undefined : await findLocal(reference, platform, options)
  return local ?? (await resolveRemote(reference, platform, options))
}

/** Checks the form of an image name. @throws {TsbuildError} REFERENCE_INVALID */
export function checkImageName(name: string): void {
  if (name.startsWith(LAYOUT)) parseLayoutName(name)
  else parseReference(name)
}

async function resolveRemote(
  reference: Reference,
  platform: Platform,
  options: BaseOptions,
): Promise<ResolvedBase> {
  const repository = options.client().repository(reference)
  const name = formatReference(reference)
  const id = `metadata ${name} ${formatPlatform(platform)}`
  const vertex = { id, name: `[internal] load metadata for ${name}`, part: 'resolve' } as const
  return reported(vertex, options.onEvent, async () => {
    const source = throughStore(repository, options.store)
    const wanted = reference.digest ?? reference.tag ?? 'latest'
    const image = await resolveImage(source, wanted, { platform, name, signal: options.signal })
    const pinned = { ...reference, digest: (image.index ?? image.manifestDescriptor).digest }
    const from = { source: repository, origin: reference }
    return toBase(formatReference(pinned), image, () => from)
  })
}

async function resolveLayout(
  name: string,
  platform: Platform,
  options: BaseOptions,
): Promise<ResolvedBase> {
  const { directory, wanted } = parseLayoutName(name)
  const source = layoutSource(directory)
  const image = await resolveImage(source, wanted, { platform, signal: options.signal })
  const digest = (image.index ?? image.manifestDescriptor).digest
  const pinned = name.includes('@') ? name : `${name}@${digest}`
  return toBase(pinned, image, () => ({ source, origin: undefined }))
}

/** `oci-layout://PATH[:TAG][@DIGEST]`; a colon belongs to the tag only behind the last slash. */
function parseLayoutName(name: string): { directory: string; wanted: string } {
  const [location = '', digest] = name.slice(LAYOUT.length).split('@', 2)
  const colon = location.indexOf(':', location.lastIndexOf('/') + 1)
  const directory = colon < 0 ? location : location.slice(0, colon)
  const tag = colon < 0 ? 'latest' : location.slice(colon + 1)
  const wanted = digest ?? tag
  if (directory !== '' && (digest === undefined || isDigest(digest))) return { directory, wanted }
  throw new TsbuildError(`invalid image name ${JSON.stringify(name)}`, {
    code: 'REFERENCE_INVALID',
    hint: 'write oci-layout://PATH[:TAG][@sha256:…]',
  })
}

/** An image built or tagged here, when it has the platform. */
async function findLocal(
  reference: Reference,
  platform: Platform,
  options: BaseOptions,
): Promise<ResolvedBase | undefined> {
  const { store } = options
  const descriptor = store.images.get(formatReference(reference))?.descriptor
  if (descriptor === undefined) return undefined
  const { digest } = descriptor
  const { signal } = options
  const image = await resolveImage(storeSource(store), digest, { platform, signal })
  if (image.index === undefined && !servesLocally(platform, image.config.platform)) {
    const offered = formatPlatform(image.config.platform)
    throw new TsbuildError(
      `the local image ${familiarReference(reference)} is for ${offered}, not ${formatPlatform(platform)}`,
      { code: 'PLATFORM_MISMATCH', hint: 'use --pull to ask the registry for the other platform' },
    )
  }
  return toBase(formatReference({ ...reference, digest }), image, (layer) =>
    storedPlace(layer, reference, options),
  )
}

/**
 * An image of the store that is known by the digest of its manifest, or of an index that has the platform.
 * @throws {TsbuildError} NOT_FOUND, PLATFORM_MISMATCH, CONFIG_INVALID
 */
export async function storedBase(
  digest: Digest,
  platform: Platform,
  options: Pick<BaseOptions, 'store' | 'client' | 'signal'>,
): Promise<ResolvedBase> {
  const { store, signal } = options
  const image = await resolveImage(storeSource(store), digest, { platform, signal })
  return toBase(digest, image, (layer) => storedPlace(layer, undefined, options))
}

/** Where a layer of an image of the store is. */
function storedPlace(
  layer: Descriptor,
  origin: Reference | undefined,
  options: Pick<BaseOptions, 'store' | 'client'>,
): Pick<BaseLayer, 'source' | 'origin'> {
  const place = elsewhereOf(layer)
  return place === undefined
    ? { source: options.store.blobs, origin }
    : { source: elsewhereSource(place, options), origin: place }
}

/** Every variant is accepted, as for a single image in a registry. */
function servesLocally(wanted: Platform, offered: Platform): boolean {
  return isSameMachine(wanted, offered) || platformDistance(wanted, offered) !== undefined
}

function toBase(
  name: string,
  image: ResolvedImage,
  placeOf: (layer: Descriptor) => Pick<BaseLayer, 'source' | 'origin'>,
): ResolvedBase {
  const layers = image.manifest.layers.map((descriptor, index): BaseLayer => {
    const diffId = image.config.diffIds[index]
    if (diffId === undefined) throw new Error('resolveImage checks that every layer has a diffID')
    checkPlain(descriptor, diffId, name)
    return { ...placeOf(descriptor), diffId, descriptor }
  })
  const { config, manifestDescriptor } = image
  return { name, manifest: manifestDescriptor.digest, config, layers }
}

/**
 * The digest of an uncompressed layer is its diffID, so that both can be compared without reading
 * it.
 */
function checkPlain({ mediaType, digest }: Descriptor, diffId: DiffId, name: string): void {
  if (compressionOf(mediaType) !== 'none' || digest === uncompressedDigest(diffId)) return
  throw new TsbuildError(`${name}: its config calls the layer ${digest} ${diffId}`, {
    code: 'CONFIG_INVALID',
    hint: 'the image is damaged, or it was made by a faulty tool',
  })
}

/** The local store as a source of images; only digests name anything here. */
export function storeSource(store: Store): ImageSource {
  return {
    open: (descriptor, options) => store.blobs.open(descriptor, options),
    fetchManifest: async (digest, options) => {
      const found = isDigest(digest) ? await readManifest(store, digest, options) : undefined
      if (found !== undefined) return found
      throw new TsbuildError(`the local store has no manifest ${digest}`, { code: 'NOT_FOUND' })
    },
  }
}

async function readManifest(
  store: Store,
  digest: Digest,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<FetchedManifest | undefined> {
  const size = store.blobs.stat(digest)
  if (size === undefined || size > MAX_DOCUMENT_BYTES) return undefined
  const unnamed = { mediaType: 'application/json', digest, size }
  const bytes = await collect(await store.blobs.open(unnamed, options), MAX_DOCUMENT_BYTES)
  const mediaType = typeOrUndefined(bytes)
  if (mediaType === undefined) return undefined
  return { descriptor: { mediaType, digest, size }, bytes }
}

/** `undefined` also for a layer, and for everything else that cannot be a manifest. */
function typeOrUndefined(bytes: Buffer): string | undefined {
  try {
    return mediaTypeOf(bytes)
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

/** A registry behind the local store: tags are resolved remotely, documents are fetched once. */
function throughStore(repository: Repository, store: Store): ImageSource {
  return {
    fetchManifest: async (tagOrDigest, options) => {
      const digest = isDigest(tagOrDigest)
        ? tagOrDigest
        : (await repository.resolve(tagOrDigest, options)).digest
      const kept = await readManifest(store, digest, options)
      if (kept !== undefined) return kept
      const fetched = await repository.fetchManifest(digest, options)
      await store.blobs.putBytes(fetched.descriptor.mediaType, fetched.bytes)
      return fetched
    },
    open: async (descriptor, options) => {
      if (!(await store.blobs.has(descriptor))) {
        await copyBlob(descriptor, { from: repository, to: store.blobs }, options)
      }
      return store.blobs.open(descriptor, options)
    },
  }
}
