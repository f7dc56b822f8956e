import type { CacheKey } from '#cache'
import type { Descriptor, Digest } from '#core'
import { type Day, joinResults, type SharedLink, type SharedResult } from './shared-result.ts'

/** How much one part of a cache may hold: what was not used for the longest time goes. */
export interface RecordLimits {
  readonly results: number
  readonly links: number
  readonly families: number
}

/** Records of a cache elsewhere: results, keys that lead to them, and families that have one. */
export class RecordSet {
  readonly results: Map<CacheKey, SharedResult> = new Map()
  readonly links: Map<CacheKey, SharedLink> = new Map()
  readonly families: Map<CacheKey, Day> = new Map()

  get isEmpty(): boolean {
    return this.results.size + this.links.size + this.families.size === 0
  }

  /** Adds a result, with its family. */
  addResult(result: SharedResult): void {
    const known = this.results.get(result.key)
    this.results.set(result.key, known === undefined ? result : joinResults(known, result))
    this.addFamily(result.family, result.usedOn)
  }

  addLink(key: CacheKey, link: SharedLink): void {
    const known = this.links.get(key)
    if (known !== undefined && known.usedOn > link.usedOn) return
    this.links.set(key, known?.target === link.target ? { ...known, ...link } : link)
  }

  addFamily(family: CacheKey, usedOn: Day): void {
    this.families.set(family, Math.max(usedOn, this.families.get(family) ?? usedOn))
  }

  /** Adds everything that another set has. */
  addAll(other: RecordSet): void {
    for (const result of other.results.values()) this.addResult(result)
    for (const [key, link] of other.links) this.addLink(key, link)
    for (const [family, usedOn] of other.families) this.addFamily(family, usedOn)
  }

  /** Those with keys that start with `prefix`. */
  within(prefix: string): RecordSet {
    const found = new RecordSet()
    const isWithin = ([key]: readonly [CacheKey, unknown]): boolean => key.startsWith(prefix)
    for (const [key, result] of [...this.results].filter(isWithin)) found.results.set(key, result)
    for (const [key, link] of [...this.links].filter(isWithin)) found.links.set(key, link)
    for (const [key, day] of [...this.families].filter(isWithin)) found.families.set(key, day)
    return found
  }

  /** Without what is more than the limits allow. */
  limited({ results, links, families }: RecordLimits): RecordSet {
    const kept = new RecordSet()
    const byUse = (a: SharedResult, b: SharedResult): number =>
      b.usedOn - a.usedOn || b.createdAt.getTime() - a.createdAt.getTime()
    for (const [key, one] of first(this.results, results, byUse)) kept.results.set(key, one)
    const byDay = (a: SharedLink, b: SharedLink): number => b.usedOn - a.usedOn
    for (const [key, one] of first(this.links, links, byDay)) kept.links.set(key, one)
    for (const [key, one] of first(this.families, families, (a, b) => b - a)) {
      kept.families.set(key, one)
    }
    return kept
  }

  isWithin({ results, links, families }: RecordLimits): boolean {
    return (
      this.results.size <= results && this.links.size <= links && this.families.size <= families
    )
  }

  /** The blobs of all layers, each once. */
  get blobs(): readonly Descriptor[] {
    const blobs = new Map<Digest, Descriptor>()
    for (const { layer } of this.results.values()) {
      for (const { mediaType, digest, size } of layer.blobs) {
        blobs.set(digest, { mediaType, digest, size })
      }
    }
    return [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1))
  }
}

/** The first `count` entries; of equal ones those with the smallest keys. */
function first<T>(
  entries: ReadonlyMap<CacheKey, T>,
  count: number,
  compare: (a: T, b: T) => number,
): readonly (readonly [CacheKey, T])[] {
  if (entries.size <= count) return [...entries]
  const sorted = [...entries].sort(([keyA, a], [keyB, b]) => {
    return compare(a, b) || (keyA < keyB ? -1 : 1)
  })
  return sorted.slice(0, count)
}
