import {
  type Bytes,
  type Descriptor,
  type Digest,
  type EncodedDocument,
  isDamaged,
  TsbuildError,
} from '#core'
import { type RecordLimits, RecordSet } from '../records/record-set.ts'
import { type CacheShelf, isMissing } from '../shelf/cache-shelf.ts'
import { type PartRef, partDocument, recordsDocument } from './cache-index.ts'
import { type ReaderOptions, readRecords } from './cache-reader.ts'
import { insist } from './insist.ts'

/**
 * What one part holds at the most. A cache has one part until that is full, and sixteen then, by the first
 * digit of the keys: so a lookup reads some 20 kB of a small cache and at the most 3 MB of a full one.
 */
const LIMITS: RecordLimits = { results: 128, links: 256, families: 256 }

const DIGITS: readonly string[] = [...'0123456789abcdef']

/** How parts are changed. */
export interface WriteOptions extends ReaderOptions {
  /** Parts that were read already, by the digests of their records. */
  readonly parsed: Map<Digest, RecordSet>
}

/**
 * Adds records to the parts of a cache. Parts that do not change are neither read nor written; what a part
 * cannot hold goes, beginning with what was not used for the longest time.
 */
export async function addToParts(
  shelf: CacheShelf,
  parts: readonly PartRef[],
  { added, ...options }: WriteOptions & { readonly added: RecordSet },
): Promise<readonly PartRef[]> {
  const changes = changesOf(parts, added)
  const changed = changes.map(async (change) => {
    const { known, records } = change
    if (records.isEmpty) return known === undefined ? [] : [known]
    return await changePart(shelf, change, options)
  })
  return (await Promise.all(changed)).flat()
}

/** Whether parts have all of these records already: then nothing has to be written. */
export async function havePartsAll(
  shelf: CacheShelf,
  parts: readonly PartRef[],
  { added, ...options }: WriteOptions & { readonly added: RecordSet },
): Promise<boolean> {
  const have = changesOf(parts, added).map(async ({ known, records }) => {
    if (records.isEmpty || known === undefined) return records.isEmpty
    const all = await readPart(shelf, known, options)
    all.addAll(records)
    return recordsDocument(all.limited(LIMITS)).descriptor.digest === known.records.digest
  })
  return (await Promise.all(have)).every((one) => one)
}

function changesOf(parts: readonly PartRef[], added: RecordSet): readonly PartChange[] {
  const isSplit = parts.length > 0 && parts.every(({ prefix }) => prefix !== '')
  return (isSplit ? DIGITS : ['']).map((prefix) => {
    const known = parts.find((part) => part.prefix === prefix)
    return { prefix, known, records: added.within(prefix) }
  })
}

interface PartChange {
  readonly prefix: string
  readonly known: PartRef | undefined
  readonly records: RecordSet
}

async function changePart(
  shelf: CacheShelf,
  { prefix, known, records }: PartChange,
  options: WriteOptions,
): Promise<readonly PartRef[]> {
  const all = known === undefined ? new RecordSet() : await readPart(shelf, known, options)
  all.addAll(records)
  const isWhole = prefix !== '' || all.isWithin(LIMITS)
  const prefixes = isWhole ? [prefix] : DIGITS
  const written = prefixes.map(async (one) => {
    const limited = all.within(one).limited(LIMITS)
    return limited.isEmpty
      ? []
      : [await writePart(shelf, { prefix: one, known, records: limited }, options)]
  })
  return (await Promise.all(written)).flat()
}

/** A copy of what a part has. A damaged one is lost; one that cannot be read now is not. */
async function readPart(
  shelf: CacheShelf,
  { records }: PartRef,
  options: WriteOptions,
): Promise<RecordSet> {
  const copy = new RecordSet()
  try {
    const parsed =
      options.parsed.get(records.digest) ?? (await readRecords(shelf, records, options))
    options.parsed.set(records.digest, parsed)
    copy.addAll(parsed)
  } catch (cause) {
    const isInvalid = cause instanceof TsbuildError && cause.code === 'MANIFEST_INVALID'
    if (!isInvalid && !isMissing(cause) && !isDamaged(cause)) throw cause
    options.onProblem(cause)
  }
  return copy
}

async function writePart(
  shelf: CacheShelf,
  { prefix, known, records }: PartChange,
  options: WriteOptions,
): Promise<PartRef> {
  const document = recordsDocument(records)
  if (known?.prefix === prefix && known.records.digest === document.descriptor.digest) return known
  const put = (manifest: EncodedDocument): Promise<Descriptor> =>
    shelf.putManifest(manifest, options)
  return { prefix, ...(await putRecords(shelf, records, { ...options, put })) }
}

/** How the manifest of records is put. */
export interface PutOptions extends Pick<ReaderOptions, 'signal'> {
  readonly put: (manifest: EncodedDocument) => Promise<Descriptor>
  /** The name of the entry that it is. */
  readonly entry?: string
}

/** Puts records with the manifest that keeps their blobs. */
export async function putRecords(
  shelf: CacheShelf,
  records: RecordSet,
  options: PutOptions,
): Promise<Pick<PartRef, 'manifest' | 'records'>> {
  const { signal } = options
  let kept = records
  return insist(() => putAsTheyAre(shelf, kept, options), {
    signal,
    onRefused: async () => {
      kept = await withoutLost(shelf, kept, options)
    },
  })
}

async function putAsTheyAre(
  shelf: CacheShelf,
  records: RecordSet,
  { signal, entry, put }: PutOptions,
): Promise<Pick<PartRef, 'manifest' | 'records'>> {
  const { descriptor, bytes } = recordsDocument(records)
  if (!(await shelf.source.has(descriptor, { signal }))) {
    const open = async function* (): Bytes {
      yield bytes
    }
    await shelf.putBlob(descriptor, open, { signal })
  }
  return { manifest: await put(partDocument(records, descriptor, entry)), records: descriptor }
}

/** The records whose blobs are there: someone may have removed one. The same set: all are. */
async function withoutLost(
  { source }: CacheShelf,
  records: RecordSet,
  { signal }: PutOptions,
): Promise<RecordSet> {
  const lost = new Set<string>()
  for (const { digest, ...blob } of records.blobs) {
    if (!(await source.has({ ...blob, digest }, { signal }))) lost.add(digest)
  }
  if (lost.size === 0) return records
  const kept = new RecordSet()
  kept.addAll(records)
  for (const [key, { layer }] of records.results) {
    if (layer.blobs.some(({ digest }) => lost.has(digest))) kept.results.delete(key)
  }
  return kept
}
