import { TsbuildError } from '#core'
import { parseDuration } from '#parser'

const PER_MILLISECOND = 1_000_000n

/** Now, in RFC 3339 with nanoseconds; two calls never give the same time. */
export function now(): string {
  return formatTime(instant())
}

let last = 0n

/** Nanoseconds since the epoch, as the machine's clock has them, and later than those of the last call unless it was put back. */
export function instant(): bigint {
  const found = BigInt(Date.now()) * PER_MILLISECOND
  const isSameMoment = found <= last && last - found < 1_000_000_000n
  last = isSameMoment ? last + 1n : found
  return last
}

/** Nanoseconds since the epoch as Go writes them: RFC 3339 in UTC, without zeros at the end. */
export function formatTime(time: bigint): string {
  const { seconds, fraction } = partsOf(time)
  const digits = fraction.replace(/0+$/, '')
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`
}

/** The same with all nine digits of nanoseconds, so that columns align. */
export function formatWholeTime(time: bigint): string {
  const { seconds, fraction } = partsOf(time)
  return `${seconds}.${fraction}Z`
}

function partsOf(time: bigint): { readonly seconds: string; readonly fraction: string } {
  const seconds = new Date(Number(time / PER_MILLISECOND)).toISOString().slice(0, 19)
  return { seconds, fraction: `${time % 1_000_000_000n}`.padStart(9, '0') }
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/

/** Nanoseconds since the epoch of a time of RFC 3339; `undefined` for other texts. */
export function parseTime(text: string): bigint | undefined {
  const [, seconds, fraction = '', zone] = TIME.exec(text) ?? []
  return withFraction(Date.parse(`${seconds}${zone}`), fraction)
}

/** For sorting: what was made first comes first. */
export function byCreation(
  { created: one }: { readonly created: string },
  { created: other }: { readonly created: string },
): number {
  const [first = 0n, second = 0n] = [parseTime(one), parseTime(other)]
  return first < second ? -1 : first > second ? 1 : 0
}

const SECONDS = /^(\d{1,12})(?:\.(\d{1,9})\d*)?$/
const DATE = new RegExp(
  [
    /^(?<day>\d{4}-\d\d-\d\d)/,
    /(?:T(?<hour>\d\d)(?::(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?)?)?)?/,
    /(?<zone>Z|[+-]\d\d:\d\d)?$/,
  ]
    .map(({ source }) => source)
    .join(''),
)

/**
 * A moment as clients say it: seconds since the epoch, how long ago (`1h30m`), or a date with as much of a time as they
 * like, which without a zone is that of this machine.
 * @returns nanoseconds since the epoch
 * @throws {TsbuildError} USAGE, in docker's words
 */
export function parseMoment(text: string): bigint {
  const [, seconds, fraction = ''] = SECONDS.exec(text) ?? []
  const found =
    seconds === undefined
      ? (agoOf(text) ?? dateOf(text))
      : withFraction(Number(seconds) * 1000, fraction)
  if (found !== undefined) return found
  const quoted = JSON.stringify(text.slice(0, 100))
  throw new TsbuildError(`failed to parse value as time or duration: ${quoted}`, { code: 'USAGE' })
}

function agoOf(text: string): bigint | undefined {
  const span = parseDuration(text)
  if (typeof span !== 'number') return undefined
  return BigInt(Date.now()) * PER_MILLISECOND - BigInt(span)
}

function dateOf(text: string): bigint | undefined {
  const {
    day,
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    zone = '',
  } = DATE.exec(text)?.groups ?? {}
  return withFraction(Date.parse(`${day}T${hour}:${minute}:${second}${zone}`), fraction)
}

/** @param digits of the fraction of a second, up to nine */
function withFraction(milliseconds: number, digits: string): bigint | undefined {
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds) * PER_MILLISECOND + BigInt(digits.padEnd(9, '0'))
}
