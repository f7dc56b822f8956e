/** Images of the store as the API knows them: by the digest of their config, with all of their names. */
import { digestsOf, type LocalDocuments, readLocalDocuments } from '#builder'
import type { NamedImage, Store, UnnamedImage } from '#cache'
import {
  collect,
  type Descriptor,
  type Digest,
  isAttestation,
  isIndexType,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  parseIndex,
  parseManifestOrIndex,
  TsbuildError,
} from '#core'
import { parseTime } from '#engine/model'
import { familiarReference, parseReference, type Reference } from '#registry-client'

/** What the index of the store has of an image: a name, or none. */
export type ImageEntry = NamedImage | (UnnamedImage & { readonly name?: undefined })

/** An image of the store. */
export interface EngineImage extends LocalDocuments {
  /** Digest of its config. */
  readonly id: Digest
  /** The same of what its index has for all platforms; containers may have any of them. */
  readonly ids: readonly Digest[]
  /** At least one; those with names come first, ordered by name. */
  readonly entries: readonly [ImageEntry, ...ImageEntry[]]
  /** What the first entry leads to: a manifest, or an index that lists it. */
  readonly target: Descriptor
}

/** More documents than that are read again. */
const MOST_DOCUMENTS = 2000

/** Reads images; what their digests name never changes, so documents are read once. */
export class ImageReader {
  readonly #known = new Map<Digest, ReadTarget>()

  /** Every image that can be read: what is damaged, or no image, is left out. */
  async readAll(store: Store): Promise<readonly EngineImage[]> {
    const byId = new Map<Digest, { read: ReadTarget[]; entries: ImageEntry[] }>()
    for (const entry of [...store.images.list(), ...store.images.unnamed()]) {
      const read = await this.#readOrSkip(store, entry.descriptor)
      if (read === undefined) continue
      const id = read.documents.manifest.config.digest
      const known = byId.get(id) ?? { read: [], entries: [] }
      byId.set(id, known)
      known.read.push(read)
      known.entries.push(entry)
    }
    return [...byId].flatMap(([id, { read, entries }]) => {
      const [first, ...others] = entries
      const [{ documents } = {}] = read
      if (first === undefined || documents === undefined) return []
      const ids = [...new Set([id, ...read.flatMap((one) => one.ids)])]
      return { id, ids, ...documents, entries: [first, ...others], target: first.descriptor }
    })
  }

  async #readOrSkip(store: Store, target: Descriptor): Promise<ReadTarget | undefined> {
    const { digest } = target
    const known = this.#known.get(digest)
    if (known !== undefined) return known
    try {
      const documents = await readLocalDocuments(store, target)
      const read = { documents, ids: await configIdsIn(store, target) }
      const [oldest] = this.#known.keys()
      if (this.#known.size >= MOST_DOCUMENTS && oldest !== undefined) this.#known.delete(oldest)
      this.#known.set(digest, read)
      return read
    } catch (cause) {
      if (cause instanceof TsbuildError) return undefined
      throw cause
    }
  }
}

/** What one entry leads to. */
interface ReadTarget {
  readonly documents: LocalDocuments
  /** Of all manifests of an index. */
  readonly ids: readonly Digest[]
}

async function configIdsIn(store: Store, target: Descriptor): Promise<readonly Digest[]> {
  if (!isIndexType(target.mediaType)) return []
  const read = async (descriptor: Descriptor): Promise<Buffer> =>
    await collect(await store.blobs.open(descriptor), MAX_DOCUMENT_BYTES)
  const ids: Digest[] = []
  for (const one of parseIndex(await read(target), target.mediaType).manifests) {
    if (!isManifestType(one.mediaType) || isAttestation(one)) continue
    if (store.blobs.stat(one.digest) === undefined) continue
    const parsed = parseManifestOrIndex(await read(one), one.mediaType)
    if (parsed.kind === 'manifest') ids.push(parsed.manifest.config.digest)
  }
  return ids
}

/** A name of an image, as `docker images` has them. */
export interface ImageReference extends Reference {
  /** As people write it. */
  readonly text: string
  /** Of the entry in the store; a digest that is noted with a name has none of its own. */
  readonly name: string | undefined
}

/** The names of an image: those with a tag, then those with a digest. */
export function referencesOf({ entries }: Pick<EngineImage, 'entries'>): readonly ImageReference[] {
  const own = entries.flatMap(({ name }) => (name === undefined ? [] : toReference(name, name)))
  const known = new Set(own.map(({ registry, repository }) => `${registry}/${repository}`))
  const noted = entries
    .flatMap(({ descriptor }) => digestsOf(descriptor).flatMap((text) => toReference(text)))
    // A name that was given to an image of another repository has its digests with it.
    .filter(({ registry, repository }) => known.has(`${registry}/${repository}`))
  const tags = own.filter(({ digest }) => digest === undefined)
  const digests = [...own.filter(({ digest }) => digest !== undefined), ...noted]
  return [...tags, ...new Map(digests.map((one) => [one.text, one])).values()]
}

/** Nothing for what other tools wrote that is not a reference. */
function toReference(text: string, name?: string): readonly ImageReference[] {
  try {
    const reference = parseReference(text)
    return [{ ...reference, text: familiarReference(reference), name }]
  } catch (cause) {
    if (cause instanceof TsbuildError) return []
    throw cause
  }
}

/** As people write them: `busybox:latest`. */
export function tagsOf(image: Pick<EngineImage, 'entries'>): readonly string[] {
  return referencesOf(image).flatMap(({ tag, digest, text }) =>
    tag !== undefined && digest === undefined ? [text] : [],
  )
}

/** As people write them: `busybox@sha256:…`. */
export function repositoryDigestsOf(image: Pick<EngineImage, 'entries'>): readonly string[] {
  return referencesOf(image).flatMap(({ digest, text }) => (digest === undefined ? [] : [text]))
}

/** Bytes of each layer's tar, the lowest first; of a packed one that was never unpacked here, of its blob. */
export function layerSizes(
  store: Store,
  { config, manifest }: Pick<LocalDocuments, 'config' | 'manifest'>,
): readonly number[] {
  return manifest.layers.map((layer, position) => {
    const diffId = config.diffIds[position]
    const known = diffId === undefined ? undefined : store.layers.findByDiffId(diffId)?.size
    return known ?? layer.size
  })
}

/** Bytes of all layers. */
export function sizeOf(store: Store, image: Pick<LocalDocuments, 'config' | 'manifest'>): number {
  return layerSizes(store, image).reduce((sum, size) => sum + size, 0)
}

/** Milliseconds since the epoch; `undefined` where its config does not say. */
export function createdOf({ config }: Pick<LocalDocuments, 'config'>): bigint | undefined {
  return parseTime(config.created ?? '')
}
