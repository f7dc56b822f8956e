import { TsbuildError } from '#core'
import type { Filters } from '#engine/model'

/** The value of a filter that is true or false; absent: not asked for. @throws {TsbuildError} USAGE */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name) ?? []
  const isTrue = values.some((value) => /^(?:1|true)$/i.test(value))
  const isFalse = values.some((value) => /^(?:0|false)$/i.test(value))
  if (values.length === 0) return undefined
  if (isTrue !== isFalse) return isTrue
  throw new TsbuildError(`invalid filter '${name}=[${values.join(' ')}]'`, { code: 'USAGE' })
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const DURATION = /^-?(?:\d+(?:\.\d+)?(?:ms|[smh]))+$/
const SECONDS = /^\d+(?:\.\d+)?$/
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/

/**
 * A time as docker takes it: a duration before now, seconds since the epoch, or a date.
 * @returns milliseconds since the epoch
 * @throws {TsbuildError} USAGE
 */
export function timeFilter(name: string, text: string): number {
  if (SECONDS.test(text)) return Number(text) * 1000
  if (DURATION.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smh])/g)]
    const span = parts.reduce(
      (sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0),
      0,
    )
    return Date.now() - (text.startsWith('-') ? -span : span)
  }
  const whole = /T\d\d(?=$|Z|[+-])/.test(text) ? text.replace(/(T\d\d)/, '$1:00') : text
  const time = DATE.test(text) ? Date.parse(whole) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new TsbuildError(
    `invalid value for '${name}' filter: ${JSON.stringify(text.slice(0, 100))}`,
    {
      code: 'USAGE',
    },
  )
}
