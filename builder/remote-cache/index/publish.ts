/**
 * How records get into a cache that others write to at the same time. A registry cannot replace a tag only
 * if nobody else has: of two writers that merge at once, one index is lost. So each writer first leaves
 * what it adds under a name of its own. It counts from then on, and stays there until it has been in the
 * index for so long that no writer can still be at work with an index that lacks it.
 */
import {
  type Descriptor,
  type Digest,
  type EncodedDocument,
  type ErrorCode,
  isDamaged,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import { RecordSet } from '../records/record-set.ts'
import { type CacheShelf, type Entries, isMissing } from '../shelf/cache-shelf.ts'
import {
  type CacheIndex,
  EMPTY_INDEX,
  indexDocument,
  type MergedEntry,
  parseCacheIndex,
} from './cache-index.ts'
import { type ReaderOptions, readEntry, unmerged } from './cache-reader.ts'
import { entryName, timeOfEntry } from './entry-name.ts'
import { insist } from './insist.ts'
import { publishSwap } from './publish-swap.ts'
import { addToParts, havePartsAll, putRecords, type WriteOptions } from './write-parts.ts'

/** How records are published. */
export interface PublishOptions extends ReaderOptions {
  /** Milliseconds for which an entry stays after it was merged. Default: 15 minutes. */
  readonly grace?: number
}

const GRACE = 15 * 60_000
/** Milliseconds in which a writer must write the index that it has read; much less than the grace. */
const MERGE_WITHIN = 3 * 60_000
/** Later attempts are left to the next writer. */
const ATTEMPTS = 6
const MOST_MERGED = 64
const MOST_REMOVED = 32
/** Milliseconds: what cannot be read for so long is given up. */
const LOST_AFTER = 24 * 3_600_000

/**
 * Adds records to a cache. Whatever others do meanwhile, none of them is lost once this returns.
 * @throws {TsbuildError} UNSUPPORTED when there is something else under its name, and what writing fails with
 */
export async function publish(
  shelf: CacheShelf,
  added: RecordSet,
  given: PublishOptions,
): Promise<void> {
  const { writers } = shelf
  const options = { ...given, parsed: new Map() }
  if (writers.kind === 'entries') return publishEntry(shelf, writers, { ...options, added })
  if (writers.kind === 'swap') return publishSwap(shelf, writers, { ...options, added })
  using _lock = await writers.lock(options)
  const { index } = await readIndex(shelf, options)
  if (await havePartsAll(shelf, index.parts, { ...options, added })) return
  const parts = await addToParts(shelf, index.parts, { ...options, added })
  await shelf.putIndex(indexDocument({ ...index, parts, updated: Date.now() }), options)
}

async function publishEntry(
  shelf: CacheShelf,
  entries: Entries,
  { added, ...options }: Publishing & { readonly added: RecordSet },
): Promise<void> {
  const { parts, updated } = (await readIndex(shelf, options)).index
  if (await havePartsAll(shelf, parts, { ...options, added })) return
  // A clock that is behind must not name an entry that the mark has passed.
  const entry = entryName(Math.max(Date.now(), updated))
  const put = (document: EncodedDocument): Promise<Descriptor> =>
    entries.put(entry, document, options)
  await putRecords(shelf, added, { ...options, entry, put })
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const isLast = attempt === ATTEMPTS
    if (await merge(shelf, entries, { ...options, isLast, own: entry })) return
  }
}

type Publishing = PublishOptions & WriteOptions

interface MergeAttempt {
  readonly isLast: boolean
  /** The entry of this writer. */
  readonly own: string
}

/** @returns false when another writer was faster */
async function merge(
  shelf: CacheShelf,
  entries: Entries,
  { isLast, own, ...options }: Publishing & MergeAttempt,
): Promise<boolean> {
  const { grace = GRACE } = options
  const started = performance.now()
  const { index, digest } = await readIndex(shelf, options)
  const listed = await listEntries(entries, index, options)
  // Some registries list no tags, or not at once.
  const names = new Set([...listed, own])
  const read = unmerged([...names], index)
    .slice(0, MOST_MERGED)
    .map((name) => readOrSkip(shelf, name, options))
  const found = (await Promise.all(read)).flat()
  if (found.length > 0) {
    const added = new RecordSet()
    for (const { records } of found) added.addAll(records)
    const parts = await addToParts(shelf, index.parts, { ...options, added })
    const now = Math.max(Date.now(), index.updated)
    const merged = found.map(({ name, digest }) => ({ name, digest, mergedAt: now }))
    const isLate = performance.now() - started > MERGE_WITHIN
    const isOther = (await readIndex(shelf, options)).digest !== digest
    if (isLate || (isOther && !isLast)) return isLast
    const next = { parts, updated: now, ...windowOf({ listed, index, merged, grace, now }) }
    await insist(() => shelf.putIndex(indexDocument(next), options), options)
  }
  await removeMerged(entries, index, { ...options, grace })
  return true
}

/** Where tags are not listed, a writer knows its own entry only. */
async function listEntries(
  entries: Entries,
  { mark }: CacheIndex,
  options: PublishOptions,
): Promise<readonly string[]> {
  try {
    return await entries.list(mark, options)
  } catch (cause) {
    if (cause instanceof TsbuildError && UNLISTED.has(cause.code)) return []
    throw cause
  }
}

const UNLISTED: ReadonlySet<ErrorCode> = new Set(['REGISTRY_DENIED', 'REGISTRY_FAILED'])

interface FoundEntry extends Pick<MergedEntry, 'name' | 'digest'> {
  readonly records: RecordSet
}

/** What is damaged now may be so for ever: it must not stop those behind it. */
async function readOrSkip(
  shelf: CacheShelf,
  name: string,
  options: PublishOptions,
): Promise<readonly FoundEntry[]> {
  try {
    const entry = await readEntry(shelf, name, options)
    return entry === undefined ? [] : [{ name, ...entry }]
  } catch (cause) {
    throwIfCancelled(options.signal, `read the cache ${shelf.name}`)
    options.onProblem(cause)
    return []
  }
}

/** What is to be remembered of entries: those that are merged and may still be listed. */
function windowOf({
  listed,
  index,
  merged,
  grace,
  now,
}: {
  readonly listed: readonly string[]
  readonly index: CacheIndex
  readonly merged: readonly MergedEntry[]
  readonly grace: number
  readonly now: number
}): Pick<CacheIndex, 'mark' | 'merged'> {
  const all = new Map([...index.merged, ...merged].map((entry) => [entry.name, entry]))
  let { mark } = index
  // What is passed is not removed later.
  for (const name of listed.slice(0, MOST_REMOVED)) {
    const mergedAt = all.get(name)?.mergedAt ?? timeOfEntry(name) + LOST_AFTER
    if (now - mergedAt <= grace) break
    mark = name
  }
  const kept = listed.flatMap((name) => (name > mark ? (all.get(name) ?? []) : []))
  return { mark, merged: kept }
}

/**
 * Removes entries that have been in the index for long. Where that is not allowed they stay, and the mark
 * passes them.
 */
async function removeMerged(
  entries: Entries,
  { merged }: CacheIndex,
  { grace, ...options }: ReaderOptions & { readonly grace: number },
): Promise<void> {
  const old = merged.filter(({ mergedAt }) => Date.now() - mergedAt > grace)
  for (const { digest } of old.slice(0, MOST_REMOVED)) {
    try {
      await entries.remove(digest, options)
    } catch (cause) {
      throwIfCancelled(options.signal, 'remove merged entries of a cache')
      if (cause instanceof TsbuildError) return
      throw cause
    }
  }
}

/** The index as it is now; an empty one where there is none, or a damaged one, which is replaced. */
async function readIndex(
  shelf: CacheShelf,
  options: ReaderOptions,
): Promise<{ readonly index: CacheIndex; readonly digest: Digest | undefined }> {
  let digest: Digest | undefined
  try {
    const found = await shelf.readIndex(options)
    digest = found.descriptor.digest
    return { index: parseCacheIndex(found), digest }
  } catch (cause) {
    const isInvalid = cause instanceof TsbuildError && cause.code === 'MANIFEST_INVALID'
    // On the way from a registry bytes may be damaged that are whole there.
    const isRuined = isInvalid || (shelf.writers.kind === 'turns' && isDamaged(cause))
    if (!isMissing(cause) && !isRuined) throw cause
    return { index: EMPTY_INDEX, digest }
  }
}
