import { setTimeout } from 'node:timers/promises'
import { TsbuildError } from '#core'
import type { RecordSet } from '../records/record-set.ts'
import type { CacheShelf, HeldIndex, Swap } from '../shelf/cache-shelf.ts'
import { type CacheIndex, EMPTY_INDEX, indexDocument, parseCacheIndex } from './cache-index.ts'
import { addToParts, havePartsAll, type WriteOptions } from './write-parts.ts'

/** Milliseconds in which one of all writers that are under way at a time must have its turn. */
const WITHIN = 3 * 60_000
/** Milliseconds. */
const PAUSE = 100
const LONGEST_PAUSE = 3_000

/**
 * Adds records to an index that can be replaced in just one version: a writer that was not fast enough merges
 * what it adds into what the faster one has written.
 * @throws {TsbuildError} UNSUPPORTED when there is something else under its name, and what writing fails with
 */
export async function publishSwap(
  shelf: CacheShelf,
  { hold, tidy }: Swap,
  { added, ...options }: WriteOptions & { readonly added: RecordSet },
): Promise<void> {
  const until = performance.now() + WITHIN
  for (let attempt = 1; ; attempt++) {
    const held = await hold(options)
    const index = indexOf(held)
    const hasAll = await havePartsAll(shelf, index.parts, { ...options, added })
    if (hasAll && !held.isOld) return
    const parts = hasAll ? index.parts : await addToParts(shelf, index.parts, { ...options, added })
    const document = indexDocument({ ...index, parts, updated: Date.now() })
    if (await held.replace(document, options)) return await tidy(options)
    if (performance.now() > until) throw busyError(shelf)
    await pause(attempt, options.signal)
  }
}

/** An empty one where there is none, or a damaged one, which is replaced. */
function indexOf({ index }: HeldIndex): CacheIndex {
  if (index === undefined) return EMPTY_INDEX
  try {
    return parseCacheIndex(index)
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'MANIFEST_INVALID') return EMPTY_INDEX
    throw cause
  }
}

async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE, PAUSE * 2 ** attempt)
  await setTimeout(Math.random() * longest, undefined, signal === undefined ? {} : { signal })
}

function busyError({ name }: CacheShelf): TsbuildError {
  return new TsbuildError(`${name} is written by others all the time`, {
    code: 'REGISTRY_FAILED',
    hint: 'give each of so many builds a cache with a name of its own, and read several',
  })
}
