import type { CachedResult, CacheKey, TarFacts } from '#cache'
import type { Descriptor } from '#core'

/** What a cache elsewhere has of a step: everything that another machine needs to use its result. */
export interface SharedResult extends Omit<CachedResult, 'layer'> {
  readonly layer: SharedLayer
  /** The day on which a build used it last. */
  readonly usedOn: Day
}

/** A layer, and blobs that hold it, each in another compression. */
export interface SharedLayer extends TarFacts {
  readonly blobs: readonly [Descriptor, ...Descriptor[]]
}

/** A key that leads to the result of another one. */
export interface SharedLink {
  readonly target: CacheKey
  readonly usedOn: Day
}

/** Days since 1970. Finer would change a part of a cache with every build that uses it. */
export type Day = number

const DAY_MILLISECONDS = 86_400_000

/** The day of a time in milliseconds. */
export function dayOf(milliseconds: number): Day {
  return Math.floor(milliseconds / DAY_MILLISECONDS)
}

/** As many blobs of one layer are kept: one for each compression, and one more. */
const MOST_BLOBS = 4

/**
 * What is kept of two results of one key: the newer one, so that a build without the cache replaces what
 * was there. Where both have the same layer, its blobs are those of both.
 */
export function joinResults(known: SharedResult, added: SharedResult): SharedResult {
  const usedOn = Math.max(known.usedOn, added.usedOn)
  const newer = isNewer(added, known) ? added : known
  if (known.layer.diffId !== added.layer.diffId) return { ...newer, usedOn }
  const [first, ...others] = [...added.layer.blobs, ...known.layer.blobs]
  const blobs = new Map(others.map((blob) => [blob.digest, blob]))
  blobs.delete(added.layer.blobs[0].digest)
  const rest = [...blobs.values()].slice(0, MOST_BLOBS - 1)
  return {
    ...newer,
    usedOn,
    layer: { ...newer.layer, blobs: [first ?? added.layer.blobs[0], ...rest] },
  }
}

/** Of two that were made at the same time every machine takes the same one. */
function isNewer(a: SharedResult, b: SharedResult): boolean {
  const difference = a.createdAt.getTime() - b.createdAt.getTime()
  return difference === 0 ? a.layer.diffId > b.layer.diffId : difference > 0
}
