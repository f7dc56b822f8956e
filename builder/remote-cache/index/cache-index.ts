/**
 * The index of a cache: an OCI index of its parts. A part is a manifest whose config holds records and
 * whose layers are the blobs that the records name, so that a registry keeps them.
 */
import {
  type Descriptor,
  type Digest,
  describeDocument,
  type EncodedDocument,
  isDigest,
  MEDIA_TYPES,
  parseManifestOrIndex,
  serializeIndex,
  serializeManifest,
  TsbuildError,
} from '#core'
import type { FetchedManifest } from '#registry-client'
import type { RecordSet } from '../records/record-set.ts'
import { RECORDS_TYPE, serializeRecords } from '../records/records-document.ts'
import { describeOther } from './other-content.ts'

/** The artifact types of what a cache consists of. */
const INDEX_TYPE = 'application/vnd.tsbuild.cache.v1+json'
const PART_TYPE = 'application/vnd.tsbuild.cache.part.v1+json'

const PREFIX = 'tsbuild.cache.prefix'
const RECORDS = 'tsbuild.cache.records'
const RECORDS_SIZE = 'tsbuild.cache.records.size'
const MERGED = 'tsbuild.cache.merged'
const MARK = 'tsbuild.cache.mark'
const UPDATED = 'tsbuild.cache.updated'
const ENTRY = 'tsbuild.cache.entry'

/** A part as the index lists it. */
export interface PartRef {
  /** Hex digits that all its keys start with; empty: the only part. */
  readonly prefix: string
  /** The manifest. */
  readonly manifest: Descriptor
  /** The document of its records. */
  readonly records: Descriptor
}

/** An entry that the index has, and its manifest, by which it is removed. */
export interface MergedEntry {
  readonly name: string
  readonly digest: Digest
  /** Milliseconds since 1970. */
  readonly mergedAt: number
}

/** What an index says. */
export interface CacheIndex {
  readonly parts: readonly PartRef[]
  /** Entries behind the mark that are in the parts. */
  readonly merged: readonly MergedEntry[]
  /** All entries with names up to this one are in the parts, or gone; empty: none. */
  readonly mark: string
  /** Milliseconds since 1970, by the clock of the writer. */
  readonly updated: number
}

export const EMPTY_INDEX: CacheIndex = { parts: [], merged: [], mark: '', updated: 0 }

/** The index as a document. */
export function indexDocument({ parts, merged, mark, updated }: CacheIndex): EncodedDocument {
  const manifests = parts.map(({ prefix, manifest, records }) => ({
    ...manifest,
    artifactType: PART_TYPE,
    annotations: {
      [PREFIX]: prefix,
      [RECORDS]: records.digest,
      [RECORDS_SIZE]: String(records.size),
    },
  }))
  const annotations = {
    [MERGED]: merged.map(({ name, digest, mergedAt }) => `${name}@${digest}@${mergedAt}`).join(' '),
    [MARK]: mark,
    [UPDATED]: String(updated),
  }
  const mediaType = MEDIA_TYPES.ociIndex
  const bytes = serializeIndex({ mediaType, artifactType: INDEX_TYPE, manifests, annotations })
  return { mediaType, bytes }
}

/**
 * @throws {TsbuildError} MANIFEST_INVALID for a damaged index, UNSUPPORTED for what is no cache of tsbuild
 */
export function parseCacheIndex({ bytes, descriptor }: FetchedManifest): CacheIndex {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  if (parsed.kind !== 'index' || !isCacheIndex(parsed)) throw otherContentError(parsed)
  const { manifests, annotations = {} } = parsed.index
  return {
    // One for each prefix, so that a lookup is bounded.
    parts: [...new Map(manifests.map(toPart).map((part) => [part.prefix, part])).values()],
    merged: toMerged(annotations[MERGED] ?? ''),
    mark: toName(annotations[MARK] ?? ''),
    updated: toInteger(annotations[UPDATED]),
  }
}

/** Whether something is the index of a cache. Tools that copy one may leave its artifact type out. */
export function isCacheIndex(parsed: ReturnType<typeof parseManifestOrIndex>): boolean {
  return parsed.kind === 'index' && parsed.index.annotations?.[UPDATED] !== undefined
}

const HEX_PREFIX = /^[0-9a-f]?$/

function toPart(manifest: Descriptor): PartRef {
  const { annotations = {}, mediaType, digest, size } = manifest
  const { [PREFIX]: prefix = 'none', [RECORDS]: records = '' } = annotations
  if (!HEX_PREFIX.test(prefix) || !isDigest(records)) throw invalidError('a part is not described')
  return {
    prefix,
    manifest: { mediaType, digest, size },
    records: {
      mediaType: RECORDS_TYPE,
      digest: records,
      size: toInteger(annotations[RECORDS_SIZE]),
    },
  }
}

function toMerged(text: string): readonly MergedEntry[] {
  return text.split(' ').flatMap((one) => {
    const [name = '', digest = '', mergedAt] = one.split('@', 3)
    return isDigest(digest) ? [{ name: toName(name), digest, mergedAt: toInteger(mergedAt) }] : []
  })
}

const NAME = /^[0-9a-z-]{0,32}$/

function toName(text: string): string {
  if (NAME.test(text)) return text
  throw invalidError('an entry has an impossible name')
}

function toInteger(text = '0'): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw invalidError('a number is not one')
}

/**
 * The manifest that holds records.
 * @param records their document; it is the layer, too, where there is no blob: some registries want one
 * @param entry the name of the entry, so that no other one has the same digest
 */
export function partDocument(
  { blobs }: Pick<RecordSet, 'blobs'>,
  records: Descriptor,
  entry?: string,
): EncodedDocument {
  const mediaType = MEDIA_TYPES.ociManifest
  const bytes = serializeManifest({
    mediaType,
    artifactType: PART_TYPE,
    config: records,
    layers: blobs.length === 0 ? [records] : blobs,
    ...(entry === undefined ? {} : { annotations: { [ENTRY]: entry } }),
  })
  return { mediaType, bytes }
}

/** The document of a set of records, to be put as a blob. */
export function recordsDocument(records: RecordSet): EncodedDocument & { descriptor: Descriptor } {
  const document = { mediaType: RECORDS_TYPE, bytes: serializeRecords(records) }
  return { ...document, descriptor: describeDocument(document) }
}

/** Where the records of an entry's manifest are. @throws {TsbuildError} MANIFEST_INVALID */
export function entryRecords({ bytes, descriptor }: FetchedManifest): Descriptor {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  if (parsed.kind === 'manifest' && parsed.manifest.config.mediaType === RECORDS_TYPE) {
    return parsed.manifest.config
  }
  throw invalidError('an entry has no records')
}

/** The error for what is no cache of tsbuild. */
export function otherContentError(parsed: ReturnType<typeof parseManifestOrIndex>): TsbuildError {
  return new TsbuildError(`it is ${describeOther(parsed)}`, {
    code: 'UNSUPPORTED',
    hint: 'give the cache a name of its own, such as …/app:buildcache',
  })
}

function invalidError(reason: string): TsbuildError {
  return new TsbuildError(`invalid index of a cache: ${reason}`, { code: 'MANIFEST_INVALID' })
}
