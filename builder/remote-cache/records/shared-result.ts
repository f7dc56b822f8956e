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
  readonly blobs: readonly [SharedBlob, ...SharedBlob[]]
}

/** A blob that holds a layer, and who says so. */
export interface SharedBlob extends Descriptor {
  /** Base64; see signatures.ts. */
  readonly signature?: string
}

/** A key that leads to the result of another one. */
export interface SharedLink {
  readonly target: CacheKey
  readonly usedOn: Day
  /** Base64. */
  readonly signature?: string
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
 * was there. Where both have the same layer, its blobs are those of both, with their signatures.
 */
export function joinResults(known: SharedResult, added: SharedResult): SharedResult {
  const usedOn = Math.max(known.usedOn, added.usedOn)
  const newer = isNewer(added, known) ? added : known
  if (known.layer.diffId !== added.layer.diffId) return { ...newer, usedOn }
  const earlier = new Map(known.layer.blobs.map((blob) => [blob.digest, blob]))
  const [first, ...others] = added.layer.blobs
  const take = (blob: SharedBlob): SharedBlob => {
    const both = { ...earlier.get(blob.digest), ...blob }
    earlier.delete(blob.digest)
    return both
  }
  const blobs = [take(first), ...others.map(take)] as const
  const rest = [...earlier.values()].slice(0, Math.max(MOST_BLOBS - blobs.length, 0))
  return { ...newer, usedOn, layer: { ...newer.layer, blobs: [...blobs, ...rest] } }
}

/** Of two that were made at the same time every machine takes the same one. */
function isNewer(a: SharedResult, b: SharedResult): boolean {
  const difference = a.createdAt.getTime() - b.createdAt.getTime()
  return difference === 0 ? a.layer.diffId > b.layer.diffId : difference > 0
}
