import { PassThrough, type Readable } from 'node:stream'
import { digestsOf, type ImageOptions, type SavedImage, withDigests, writeArchive } from '#builder'
import { storeSource } from '#builder/plan'
import { Collector, openStore, type Store, type StoreItem, sumOfBytes } from '#cache'
import {
  type ContainerConfig,
  chainIdsOf,
  type Descriptor,
  isDigest,
  type JsonObject,
  type Platform,
  parsePlatform,
  TsbuildError,
} from '#core'
import { type ContainerImage, withTagTime } from '#engine/model'
import type { Events } from '#engine/state'
import {
  familiarReference,
  formatReference,
  type Reference,
  withDefaultTag,
} from '#registry-client'
import { type AttestationQuery, attestationsOf } from './attestations.ts'
import { type EngineImage, ImageReader, layerSizes } from './image/engine-image.ts'
import { findImage, imageFor, joinReference } from './image/find-image.ts'
import { imageEvent } from './image/image-events.ts'
import { historyDocument, inspectDocument } from './image-documents.ts'
import { type ListQuery, listImages } from './list-images.ts'
import { manifestSummaries } from './manifest-summaries.ts'
import { type PruneReport, pruneImages } from './prune-images.ts'
import { type ImageUser, type RemovedItem, removeImage } from './remove-image.ts'
import { imagesToSave } from './save-images.ts'

/** What the images of an engine are made of. */
export interface ImagesOptions {
  /** The store's folder. */
  readonly root: string
  readonly events: Events
  /** Containers and the ids of their images. */
  readonly users: () => readonly ImageUser[]
  /** How registries are reached; credentials come with requests. */
  readonly network?: Omit<ImageOptions, 'root' | 'credentials' | 'onEvent' | 'signal'>
}

/** An image for a container. */
export interface ResolvedImage {
  readonly image: ContainerImage
  readonly config: ContainerConfig
}

/** What is asked of one image. */
export interface OfImage {
  /** A name, an id, or the beginning of one. */
  readonly text: string
  readonly platform?: Platform | undefined
}

/** The version in which lists count containers. */
const USAGE_VERSION = 56

/** The images of a store, as the API has them. */
export class Images {
  readonly options: ImagesOptions
  readonly #reader = new ImageReader()

  constructor(options: ImagesOptions) {
    this.options = options
  }

  /**
   * Finds the image of a container.
   * @param platform `os/arch[/variant]`; default: that of this machine
   * @throws {TsbuildError} NOT_FOUND, USAGE
   */
  async resolve(name: string, platform?: string): Promise<ResolvedImage> {
    const wanted = platform === undefined || platform === '' ? undefined : parsePlatform(platform)
    const { id, descriptor, config } = await this.find({ text: name, platform: wanted })
    const image = { name, manifest: descriptor.digest, id, platform: config.platform }
    return { image, config: config.config }
  }

  /** @throws {TsbuildError} NOT_FOUND, USAGE */
  async find({ text, platform }: OfImage): Promise<EngineImage> {
    return await this.using(async (store, images) => {
      return await imageFor(store, findImage(images, text), { platform, text })
    })
  }

  /** The document of `GET /images/json`. @param minor of the API's version */
  async list(query: ListQuery, minor: number): Promise<readonly JsonObject[]> {
    return await this.using(async (store, images) => {
      return await listImages(images, query, { store, minor, containersOf: this.#containersOf })
    })
  }

  /** What images take, as `GET /system/df` tells it: each layer once. */
  async usage(): Promise<{ readonly LayersSize: number; readonly Images: readonly JsonObject[] }> {
    return await this.using(async (store, images) => {
      const containersOf = this.#containersOf
      const documents = await listImages(
        images,
        { sharedSize: true },
        { store, minor: USAGE_VERSION, containersOf },
      )
      return { LayersSize: sizeOfLayers(images, store), Images: documents }
    })
  }

  /** The document of `GET /images/{name}/json`. */
  async inspect(
    image: OfImage & { readonly manifests?: boolean },
    minor: number,
  ): Promise<JsonObject> {
    const { text, platform, manifests = false } = image
    if (manifests && platform !== undefined) {
      const message = 'conflicting options: manifests and platform options cannot both be set'
      throw new TsbuildError(message, { code: 'USAGE' })
    }
    return await this.using(async (store, images) => {
      const found = await imageFor(store, findImage(images, text), { platform, text })
      const document = inspectDocument(found, store, minor)
      if (!manifests) return document
      const deps = { store, containersOf: this.#containersOf }
      return { ...document, Manifests: await manifestSummaries(found, deps) }
    })
  }

  /** The document of `GET /images/{name}/history`. */
  async history({ text, platform }: OfImage): Promise<readonly JsonObject[]> {
    return await this.using(async (store, images) => {
      return historyDocument(
        await imageFor(store, findImage(images, text), { platform, text }),
        store,
      )
    })
  }

  /** The document of `GET /images/{name}/attestations`. */
  async attestations(text: string, query: AttestationQuery): Promise<readonly JsonObject[]> {
    return await this.using(async (store, images) => {
      return await attestationsOf(findImage(images, text), query, store)
    })
  }

  /** The descriptor of the manifest that a container was made of; `undefined` when it is not there any more. */
  async manifestDescriptor({
    manifest,
    platform,
  }: ContainerImage): Promise<Descriptor | undefined> {
    await using store = openStore(this.options.root)
    if (!isDigest(manifest) || store.blobs.stat(manifest) === undefined) return undefined
    const { descriptor } = await storeSource(store).fetchManifest(manifest)
    return { ...descriptor, platform }
  }

  /** Gives an image a name. @throws {TsbuildError} NOT_FOUND, USAGE */
  async tag(text: string, repository: string, tag: string | undefined): Promise<void> {
    const reference = withDefaultTag(joinReference(repository, tag))
    if (reference.digest !== undefined) {
      throw new TsbuildError('refusing to create a tag with a digest reference', { code: 'USAGE' })
    }
    const name = familiarReference(reference)
    if (name.startsWith('sha256:')) {
      const message = 'refusing to create an ambiguous tag using digest algorithm as name'
      throw new TsbuildError(message, { code: 'USAGE' })
    }
    const image = await this.using(async (store, images) => {
      const found = findImage(images, text)
      await setName(store, reference, found)
      return found
    })
    this.options.events.emit(imageEvent('tag', image, name))
  }

  /** Removes a name, or an image. @throws {TsbuildError} NOT_FOUND, USAGE, CONFLICT */
  async remove(
    text: string,
    options: { readonly force: boolean },
  ): Promise<readonly RemovedItem[]> {
    const { items, orphans } = await this.using((store, images) => {
      return removeImage(images, { text, ...options }, this.#removing(store))
    })
    await this.#free(orphans)
    return items
  }

  /** Removes images without a name, or all that no container has. @throws {TsbuildError} USAGE */
  async prune(filters: string | undefined): Promise<PruneReport> {
    const { items, orphans } = await this.using((store, images) => {
      return pruneImages(images, filters, this.#removing(store))
    })
    const SpaceReclaimed = sumOfBytes(await this.#free(orphans))
    const attributes = { reclaimed: String(SpaceReclaimed) }
    this.options.events.emit({ Type: 'image', Action: 'prune', id: '', attributes })
    return { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed }
  }

  /**
   * Writes images into an archive that `docker load` reads, and OCI's tools.
   * @throws {TsbuildError} NOT_FOUND before the first byte
   */
  async save(names: readonly string[], platform: Platform | undefined): Promise<Readable> {
    const store = openStore(this.options.root)
    try {
      const images = imagesToSave(await this.#reader.readAll(store), names)
      for (const { image } of images) {
        this.options.events.emit(imageEvent('save', image, image.id))
      }
      return streamArchive(images, { ...this.options.network, store, format: 'docker', platform })
    } catch (cause) {
      await store[Symbol.asyncDispose]()
      throw cause
    }
  }

  /** Does something with the images as they are now. What is looked up in the store stays until it is done. */
  async using<T>(
    work: (store: Store, images: readonly EngineImage[]) => T | Promise<T>,
  ): Promise<T> {
    await using store = openStore(this.options.root)
    return await work(store, await this.#reader.readAll(store))
  }

  readonly #containersOf = (id: string): readonly string[] => {
    return this.options.users().flatMap((user) => (user.image === id ? [user.id] : []))
  }

  #removing(store: Store) {
    return { store, users: this.options.users(), emit: this.options.events.emit }
  }

  /** Frees what no image has any more. In a store of its own: what was looked up in another one stays there. */
  async #free(orphans: ReadonlySet<string>): Promise<readonly StoreItem[]> {
    if (orphans.size === 0) return []
    await using store = openStore(this.options.root)
    const request = { all: false, matches: ({ id }: StoreItem) => orphans.has(id) }
    return await new Collector(store).remove(request, { sizes: 'last' })
  }
}

function sizeOfLayers(images: readonly EngineImage[], store: Store): number {
  const sizes = new Map<string, number>()
  for (const image of images) {
    const known = layerSizes(store, image)
    for (const [position, chain] of chainIdsOf(image.config.diffIds).entries()) {
      sizes.set(chain, known[position] ?? 0)
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** Gives an image a name from now on; an image that loses it stays, without one. */
export async function setName(
  store: Store,
  reference: Reference,
  { target, entries }: Pick<EngineImage, 'target' | 'entries'>,
): Promise<void> {
  const { registry, repository } = reference
  const [{ createdAt }] = entries
  const digests = entries
    .flatMap(({ descriptor }) => digestsOf(descriptor))
    .filter((text) => text.startsWith(`${registry}/${repository}@`))
  const noted = withDigests(target, [...new Set(digests)])
  const options = { createdAt, replaced: 'kept' } as const
  await store.images.set(formatReference(reference), withTagTime(noted), options)
}

function streamArchive(
  images: readonly SavedImage[],
  options: Parameters<typeof writeArchive>[2],
): Readable {
  const { store } = options
  const stream = new PassThrough()
  const gone = new AbortController()
  stream.on('close', () => gone.abort())
  writeArchive(images, stream, { ...options, signal: gone.signal })
    .then(() => stream.end())
    .catch((cause: unknown) => stream.destroy(cause instanceof Error ? cause : undefined))
    .finally(() => store[Symbol.asyncDispose]())
  return stream
}
