import {
  collect,
  type Descriptor,
  type Digest,
  digestOf,
  type EncodedDocument,
  formatPlatform,
  MAX_DOCUMENT_BYTES,
  MEDIA_TYPES,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  platformDistance,
  REFERENCE_DIGEST,
  serializeIndex,
  type TransferOptions,
  TsbuildError,
} from '#core'
import { formatReference, type Reference } from '../reference.ts'
import type { RegistryClient } from '../repository/client.ts'
import { copyImage, repositoryTarget } from './copy.ts'
import type { PushProgress } from './transfers.ts'

/** What an index is made of. */
export interface CreateIndexOptions extends TransferOptions {
  /** Images and indexes, of any registry, each with a tag or a digest; at least one. */
  readonly sources: readonly Reference[]
  /** What the index is called; the parts are copied to each repository. May be empty: then nothing is written. */
  readonly tags: readonly Reference[]
  /** Adds to the index that the first tag has, if it has one; a source replaces its platform's image. */
  readonly append?: boolean | undefined
  /** Only images for these; default: all. */
  readonly platforms?: readonly Platform[] | undefined
  /** Of the index. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** Of every entry in the index. */
  readonly entryAnnotations?: Readonly<Record<string, string>> | undefined
  /** Writes nothing. */
  readonly dryRun?: boolean | undefined
  readonly onProgress?: ((progress: PushProgress) => void) | undefined
}

/** An index that was made. */
export interface CreatedIndex {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** One entry of the index, and where its manifest is. */
interface Entry {
  readonly descriptor: Descriptor
  readonly from: Reference
}

/**
 * Makes an index of images and of what other indexes list. One index alone stays byte for byte what it is. The
 * tags are set last, when their repositories have everything.
 * @throws {TsbuildError} NOT_FOUND, PLATFORM_MISMATCH when nothing is left, and failures of the registries
 */
export async function createIndex(
  client: RegistryClient,
  options: CreateIndexOptions,
): Promise<CreatedIndex> {
  const { tags, dryRun = false } = options
  const read = await readEntries(client, options)
  const document = read.whole ?? assemble(read.entries, options)
  const { mediaType, bytes } = document
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  if (!dryRun) for (const tag of tags) await write(client, { tag, document, ...read }, options)
  return { descriptor, bytes }
}

interface ReadEntries {
  readonly entries: readonly Entry[]
  /** An index that is taken as it is. */
  readonly whole: EncodedDocument | undefined
}

async function readEntries(
  client: RegistryClient,
  options: CreateIndexOptions,
): Promise<ReadEntries> {
  const { sources, tags, append = false, platforms, signal } = options
  const [first] = tags
  const before = append && first !== undefined ? await findIndex(client, first, signal) : []
  const read = []
  for (const source of sources) read.push(await readSource(client, source, signal))
  const [only] = read
  const isChanged = [platforms, options.annotations, options.entryAnnotations].some(
    (change) => change !== undefined,
  )
  const isAlone = read.length === 1 && before.length === 0 && !isChanged
  if (only?.document !== undefined && isAlone)
    return { entries: only.entries, whole: only.document }
  const added = read.flatMap(({ entries }) => entries)
  const entries = chosen(merged(before, added), platforms)
  if (entries.length > 0) return { entries, whole: undefined }
  const names = (platforms ?? []).map(formatPlatform).join(', ')
  throw new TsbuildError(`create an index: no source has an image for ${names}`, {
    code: 'PLATFORM_MISMATCH',
    hint: 'see what the sources have with tsbuild inspect --remote',
  })
}

async function findIndex(
  client: RegistryClient,
  tag: Reference,
  signal: AbortSignal | undefined,
): Promise<readonly Entry[]> {
  try {
    return (await readSource(client, tag, signal)).entries
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'NOT_FOUND') return []
    throw cause
  }
}

async function readSource(
  client: RegistryClient,
  from: Reference,
  signal: AbortSignal | undefined,
): Promise<{ readonly entries: readonly Entry[]; readonly document: EncodedDocument | undefined }> {
  const repository = client.repository(from)
  const fetched = await repository.fetchManifest(from.digest ?? from.tag ?? 'latest', { signal })
  const { mediaType } = fetched.descriptor
  const parsed = parseManifestOrIndex(fetched.bytes, mediaType)
  if (parsed.kind === 'index') {
    const entries = parsed.index.manifests.map((descriptor) => ({ descriptor, from }))
    return { entries, document: { mediaType, bytes: fetched.bytes } }
  }
  const { config } = parsed.manifest
  const isImage =
    config.mediaType === MEDIA_TYPES.ociConfig || config.mediaType === MEDIA_TYPES.dockerConfig
  const platform = isImage
    ? parseImageConfig(await collect(await repository.open(config, { signal }), MAX_DOCUMENT_BYTES))
        .platform
    : undefined
  const known = platform === undefined || platform.os === '' ? {} : { platform }
  return {
    entries: [{ descriptor: { ...fetched.descriptor, ...known }, from }],
    document: undefined,
  }
}

/** A new image takes the place of what was there for its platform, with what refers to that. */
function merged(before: readonly Entry[], added: readonly Entry[]): readonly Entry[] {
  const places = new Set(added.flatMap(({ descriptor }) => placeOf(descriptor) ?? []))
  const replaced = new Set(
    before.flatMap(({ descriptor }) =>
      places.has(placeOf(descriptor) ?? '') ? [descriptor.digest as string] : [],
    ),
  )
  const kept = before.filter(({ descriptor }) => {
    const subject = descriptor.annotations?.[REFERENCE_DIGEST]
    return !replaced.has(descriptor.digest) && !(subject !== undefined && replaced.has(subject))
  })
  const byDigest = new Map<Digest, Entry>()
  for (const entry of [...kept, ...added]) {
    if (!byDigest.has(entry.descriptor.digest)) byDigest.set(entry.descriptor.digest, entry)
  }
  return [...byDigest.values()]
}

/** Attestations have no place of their own. */
function placeOf({ platform }: Descriptor): string | undefined {
  if (platform === undefined || platform.os === 'unknown') return undefined
  return formatPlatform(platform)
}

/** An attestation stays with its image. */
function chosen(
  entries: readonly Entry[],
  platforms: readonly Platform[] | undefined,
): readonly Entry[] {
  if (platforms === undefined) return entries
  const images = entries.filter(({ descriptor: { platform } }) => {
    if (platform === undefined || platform.os === 'unknown') return false
    return platforms.some((wanted) => platformDistance(wanted, platform) === 0)
  })
  const digests = new Set<string>(images.map(({ descriptor }) => descriptor.digest))
  return entries.filter(({ descriptor: { digest, annotations } }) => {
    return digests.has(digest) || digests.has(annotations?.[REFERENCE_DIGEST] ?? '')
  })
}

/** Docker's list where everything in it is docker's. */
function assemble(entries: readonly Entry[], options: CreateIndexOptions): EncodedDocument {
  const { annotations, entryAnnotations } = options
  const manifests = entries.map(({ descriptor }) => {
    if (entryAnnotations === undefined) return descriptor
    return { ...descriptor, annotations: { ...descriptor.annotations, ...entryAnnotations } }
  })
  const isDocker =
    annotations === undefined &&
    entryAnnotations === undefined &&
    manifests.every((one) => one.mediaType.startsWith('application/vnd.docker.'))
  const mediaType = isDocker ? MEDIA_TYPES.dockerIndex : MEDIA_TYPES.ociIndex
  const noted = annotations === undefined ? {} : { annotations }
  return { mediaType, bytes: serializeIndex({ mediaType, manifests, ...noted }) }
}

interface Written extends ReadEntries {
  readonly tag: Reference
  readonly document: EncodedDocument
}

async function write(
  client: RegistryClient,
  { tag, document, entries }: Written,
  { signal, onProgress }: CreateIndexOptions,
): Promise<void> {
  if (tag.tag === undefined) {
    throw new TsbuildError(`create ${formatReference(tag)}: an index is called by a tag`, {
      code: 'USAGE',
    })
  }
  const repository = client.repository(tag)
  const target = repositoryTarget(repository, { tags: [], onProgress })
  for (const { descriptor, from } of entries) {
    if (from.registry === tag.registry && from.repository === tag.repository) continue
    const isOneRegistry = from.registry === tag.registry
    const mountFrom = isOneRegistry ? from.repository : undefined
    await copyImage({ from: client.repository(from), to: target }, descriptor.digest, {
      mountFrom,
      signal,
    })
  }
  await repository.putManifest(tag.tag, document, { signal })
}
