import type { NamedImage, Store } from '#cache'
import {
  collect,
  type Descriptor,
  type Digest,
  hexOf,
  hostPlatform,
  type ImageConfig,
  MAX_DOCUMENT_BYTES,
  type Manifest,
  parseImageConfig,
  parseManifestOrIndex,
  platformDistance,
  suggestion,
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

/**
 * The images that `text` means: one by its name, or one by the first digits of its id or digest.
 * @throws {TsbuildError} NOT_FOUND, REFERENCE_INVALID
 */
export async function findImage(store: Store, text: string): Promise<LocalImage> {
  const names = store.images.list()
  const name = nameOrUndefined(text)
  const named = name === undefined ? undefined : store.images.get(name)
  if (named !== undefined) {
    const { digest } = named.descriptor
    const all = names.filter(({ descriptor }) => descriptor.digest === digest)
    return await readImage(store, all)
  }
  const found = isIdPrefix(text) ? await findById(store, text) : []
  const [only, second] = found
  if (only !== undefined && second === undefined) return only
  if (second !== undefined) {
    throw new TsbuildError(`the id ${text} fits ${found.length} images`, {
      code: 'NOT_FOUND',
      hint: 'write more of its digits',
    })
  }
  throw notFoundError(text, names)
}

async function findById(store: Store, text: string): Promise<readonly LocalImage[]> {
  const wanted = text.replace(/^sha256:/, '')
  const images = await readImages(store, () => undefined)
  return images.filter(({ manifest, descriptor, target }) =>
    [manifest.config.digest, descriptor.digest, target.digest].some((digest) =>
      hexOf(digest).startsWith(wanted),
    ),
  )
}

/** True for what may be the beginning of a digest. */
function isIdPrefix(text: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{4,64}$/.test(text)
}

/** `text` as a canonical name, unless it can only be a digest. @throws {TsbuildError} REFERENCE_INVALID */
export function nameOrUndefined(text: string): string | undefined {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return undefined
  return canonicalName(text)
}

function notFoundError(text: string, names: readonly NamedImage[]): TsbuildError {
  const known = names.flatMap(({ name }) => {
    const { repository, tag } = splitName(name)
    return tag === 'latest' ? [repository, `${repository}:${tag}`] : [`${repository}:${tag}`]
  })
  const similar = suggestion(text, known)
  return new TsbuildError(`no image ${text} in the local store`, {
    code: 'NOT_FOUND',
    hint: similar === undefined ? 'tsbuild images lists what is there' : `did you mean ${similar}?`,
  })
}

async function readImage(store: Store, named: readonly NamedImage[]): Promise<LocalImage> {
  const [first] = named
  if (first === undefined) throw new Error('an image without a name')
  const target = first.descriptor
  const { descriptor, manifest } = await readManifest(store, target)
  const config = parseImageConfig(await readDocument(store, manifest.config))
  const names = named.map(({ name }) => name).sort()
  const { createdAt } = first
  return { names, target, descriptor, manifest, config, createdAt }
}

/** The manifest itself, or of an index the one that fits this machine best. */
async function readManifest(
  store: Store,
  target: Descriptor,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: Manifest }> {
  const document = parseManifestOrIndex(await readDocument(store, target), target.mediaType)
  if (document.kind === 'manifest') return { descriptor: target, manifest: document.manifest }
  const { manifests } = document.index
  const host = hostPlatform()
  const ranked = manifests
    .filter(({ digest }) => store.blobs.stat(digest) !== undefined)
    .map((descriptor) => ({ descriptor, distance: distanceTo(host, descriptor) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best === undefined) {
    throw new TsbuildError(`index ${target.digest} holds no manifest that is in the store`, {
      code: 'NOT_FOUND',
    })
  }
  return await readManifest(store, best.descriptor)
}

function distanceTo(host: ReturnType<typeof hostPlatform>, descriptor: Descriptor): number {
  const far = Number.MAX_SAFE_INTEGER
  if (descriptor.platform === undefined) return far
  return platformDistance(host, descriptor.platform) ?? far
}

async function readDocument(store: Store, descriptor: Descriptor): Promise<Buffer> {
  return await collect(await store.blobs.open(descriptor), MAX_DOCUMENT_BYTES)
}

/** The first twelve digits, as lists show them. */
export function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12)
}
