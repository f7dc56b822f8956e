/** What fields of documents from elsewhere have to be. */
import { type CacheKey, isCacheKey } from '#cache'
import { asDiffId, type DiffId, isDigest, TsbuildError } from '#core'
import type { Day } from './shared-result.ts'

/** A cache key. @throws {TsbuildError} MANIFEST_INVALID, as all below */
export function toKey(text: string | undefined): CacheKey {
  if (text !== undefined && isCacheKey(text)) return text
  throw invalidError('a key is not 64 hex digits')
}

/** A diffID. */
export function toDiffId(text: string | undefined): DiffId {
  if (text !== undefined && isDigest(text)) return asDiffId(text)
  throw invalidError('a diffID is not a digest')
}

/** A number of bytes, or of anything that can be counted. */
export function toSize(size: number | undefined): number {
  if (size !== undefined && Number.isSafeInteger(size) && size >= 0) return size
  throw invalidError(`a size is ${size}`)
}

const MOST_DAYS = 10_000_000

/** A day. */
export function toDay(day: number | undefined): Day {
  if (day !== undefined && day >= 0 && day <= MOST_DAYS) return day
  throw invalidError(`a day is ${day}`)
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/

/** A time as `toISOString` writes it. */
export function toTime(text: string | undefined): Date {
  const time = text !== undefined && TIME.test(text) ? new Date(text) : undefined
  if (time !== undefined && !Number.isNaN(time.getTime())) return time
  throw invalidError('a time is not one')
}

/** The error for records that are not what they should be. */
export function invalidError(reason: string): TsbuildError {
  return new TsbuildError(`invalid records of a cache: ${reason}`, { code: 'MANIFEST_INVALID' })
}
