import type { CacheKey } from '#cache'
import {
  collect,
  type Descriptor,
  type Digest,
  parseManifestOrIndex,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import { RecordSet } from '../records/record-set.ts'
import { MOST_RECORD_BYTES, parseRecords } from '../records/records-document.ts'
import type { SharedLink, SharedResult } from '../records/shared-result.ts'
import type { Verifier } from '../records/signatures.ts'
import { type CacheShelf, isMissing } from '../shelf/cache-shelf.ts'
import {
  type CacheIndex,
  EMPTY_INDEX,
  entryRecords,
  isCacheIndex,
  otherContentError,
  type PartRef,
  parseCacheIndex,
} from './cache-index.ts'
import { readInline } from './inline-reader.ts'

/** How a cache is read. */
export interface ReaderOptions {
  readonly signal: AbortSignal | undefined
  /** Gets what cannot be read; it counts as empty. */
  readonly onProblem: (cause: unknown) => void
}

/** What a `CacheReader` takes. */
export interface CacheReaderOptions extends ReaderOptions {
  /** Reports that the cache is opened. */
  readonly report: <T>(read: () => Promise<T>) => Promise<T>
  /** Says which results count; `undefined`: all. */
  readonly verifier?: Verifier | undefined
  /** Milliseconds after which what has not been read counts as empty. Default: 30 seconds. */
  readonly patience?: number
}

/** Milliseconds for the index with its entries, and for each part. */
const PATIENCE = 30_000

function lateError(patience: number, cause: unknown): TsbuildError {
  return new TsbuildError(`it did not answer within ${patience / 1000} seconds`, {
    code: 'REGISTRY_UNREACHABLE',
    cause,
  })
}

/** Entries that a reader looks at, the newest: as many writers may have been under way at one time. */
const MOST_ENTRIES = 64

/** What a cache has, read as far as it is asked for: its index and entries once, and each part once. */
export class CacheReader {
  readonly #shelf: CacheShelf
  readonly #options: CacheReaderOptions
  #opened: Promise<OpenedCache> | undefined
  readonly #parts = new Map<PartRef, Promise<RecordSet>>()

  constructor(shelf: CacheShelf, options: CacheReaderOptions) {
    this.#shelf = shelf
    this.#options = options
  }

  /** Results by the keys that lead to them. */
  async find(keys: readonly CacheKey[]): Promise<ReadonlyMap<CacheKey, SharedResult>> {
    const found = new Map<CacheKey, SharedResult>()
    if (keys.length === 0) return found
    const direct = await this.#recordsFor(keys)
    const links = keys.flatMap((key) => {
      const result = this.#trusted(direct.results.get(key))
      if (result !== undefined) found.set(key, result)
      const link = result === undefined ? direct.links.get(key) : undefined
      return link === undefined || !this.#isTrusted(key, link) ? [] : [[key, link.target] as const]
    })
    if (links.length === 0) return found
    const linked = await this.#recordsFor(links.map(([, target]) => target))
    for (const [key, target] of links) {
      const result = this.#trusted(linked.results.get(target))
      if (result !== undefined) found.set(key, result)
    }
    return found
  }

  /** Those of the families that have a result. */
  async families(families: readonly CacheKey[]): Promise<ReadonlySet<CacheKey>> {
    const records = await this.#recordsFor(families)
    return new Set(families.filter((family) => records.families.has(family)))
  }

  #trusted(result: SharedResult | undefined): SharedResult | undefined {
    const { verifier } = this.#options
    if (result === undefined || verifier === undefined) return result
    const trusted = verifier.trusted(result)
    if (trusted === undefined) this.#options.onProblem(unsignedError())
    return trusted
  }

  #isTrusted(key: CacheKey, link: SharedLink): boolean {
    const { verifier } = this.#options
    if (verifier === undefined || verifier.isTrustedLink(key, link)) return true
    this.#options.onProblem(unsignedError())
    return false
  }

  /** The records of all entries, and of the parts in which the keys would be. */
  async #recordsFor(keys: readonly CacheKey[]): Promise<RecordSet> {
    this.#opened ??= this.#options.report(() => this.#open())
    const { index, added } = await this.#opened
    const wanted = (index?.parts ?? []).filter(({ prefix }) =>
      keys.some((key) => key.startsWith(prefix)),
    )
    const all = new RecordSet()
    for (const part of await Promise.all(wanted.map((one) => this.#part(one)))) all.addAll(part)
    all.addAll(added)
    return all
  }

  #part(part: PartRef): Promise<RecordSet> {
    const known = this.#parts.get(part)
    if (known !== undefined) return known
    const read = this.#orEmpty(
      (options) => readRecords(this.#shelf, part.records, options),
      new RecordSet(),
    )
    this.#parts.set(part, read)
    return read
  }

  async #open(): Promise<OpenedCache> {
    const opened = await this.#orEmpty((options) => this.#readIndex(options), EMPTY_CACHE)
    const { index, missing } = opened
    // Of what is no cache, or an image with one, nothing else is asked for.
    if (index === undefined) return opened
    const read = (options: Timed): Promise<RecordSet> => this.#readEntries(index, options)
    const added = await this.#orEmpty(read, new RecordSet())
    if (missing !== undefined && added.isEmpty) this.#options.onProblem(missing)
    return { index, added }
  }

  async #readIndex(options: Timed): Promise<OpenedCache & { readonly missing?: unknown }> {
    try {
      const found = await this.#shelf.readIndex(options)
      const parsed = parseManifestOrIndex(found.bytes, found.descriptor.mediaType)
      if (isCacheIndex(parsed)) return { index: parseCacheIndex(found), added: new RecordSet() }
      const inline = await readInline(this.#shelf, parsed, options)
      if (inline === undefined) throw otherContentError(parsed)
      return { index: undefined, added: inline }
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      // The first writers may not have come so far.
      return { index: EMPTY_INDEX, added: new RecordSet(), missing: cause }
    }
  }

  async #readEntries(index: CacheIndex, options: Timed): Promise<RecordSet> {
    const added = new RecordSet()
    const { writers } = this.#shelf
    if (writers.kind !== 'entries') return added
    const names = unmerged(await writers.list(index.mark, options), index)
    const read = names
      .slice(-MOST_ENTRIES)
      .map((name) => this.#orEmpty((timed) => readEntry(this.#shelf, name, timed), undefined))
    for (const entry of await Promise.all(read)) if (entry) added.addAll(entry.records)
    return added
  }

  /** A cache that does not answer must not hold a build up: it may do without. */
  async #orEmpty<T>(read: (options: Timed) => Promise<T>, empty: T): Promise<T> {
    const { signal: outer, patience = PATIENCE } = this.#options
    const late = AbortSignal.timeout(patience)
    const signal = outer === undefined ? late : AbortSignal.any([outer, late])
    try {
      return await read({ signal })
    } catch (cause) {
      throwIfCancelled(outer, `read the cache ${this.#shelf.name}`)
      this.#options.onProblem(late.aborted ? lateError(patience, cause) : cause)
      return empty
    }
  }
}

/** How something is read that may take too long. */
interface Timed {
  readonly signal: AbortSignal
}

interface OpenedCache {
  /** `undefined`: there are no parts. */
  readonly index: CacheIndex | undefined
  /** Of entries that are not in the index yet, or of images. */
  readonly added: RecordSet
}

const EMPTY_CACHE: OpenedCache & { readonly missing?: unknown } = {
  index: undefined,
  added: new RecordSet(),
}

/** Those of the names of entries that are not in the index yet. */
export function unmerged(names: readonly string[], { merged }: CacheIndex): readonly string[] {
  const known = new Set(merged.map(({ name }) => name))
  return names.filter((name) => !known.has(name))
}

/** What a writer has added; `undefined` when it was merged and removed meanwhile. */
export async function readEntry(
  shelf: CacheShelf,
  name: string,
  options: Pick<ReaderOptions, 'signal'>,
): Promise<{ readonly records: RecordSet; readonly digest: Digest } | undefined> {
  const { writers } = shelf
  if (writers.kind !== 'entries') throw new Error('this shelf has no entries')
  try {
    const entry = await writers.read(name, options)
    const records = await readRecords(shelf, entryRecords(entry), options)
    return { records, digest: entry.descriptor.digest }
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw cause
  }
}

function unsignedError(): TsbuildError {
  return new TsbuildError('it has results that are not signed with the key, which are left out', {
    code: 'PERMISSION_DENIED',
  })
}

/** @throws {TsbuildError} NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID */
export async function readRecords(
  { source }: CacheShelf,
  records: Descriptor,
  { signal }: Pick<ReaderOptions, 'signal'>,
): Promise<RecordSet> {
  if (records.size > MOST_RECORD_BYTES) {
    throw new TsbuildError(`records of a cache have ${records.size} bytes`, {
      code: 'MANIFEST_INVALID',
    })
  }
  return parseRecords(await collect(await source.open(records, { signal }), MOST_RECORD_BYTES))
}
