import { usageError } from '#core'
import { parseDuration } from '#parser'

const ZONED = /(?:Z|[+-]\d\d:?\d\d)$/
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?(?:Z|[+-]\d\d:?\d\d)?$/

/**
 * A point in time as the interface takes it, in seconds since the epoch with a fraction: of a time before now
 * (`10m`), a date with or without a time and a zone, or such seconds themselves. Spec: docker's timestamp.GetTimestamp
 * @throws {TsbuildError} USAGE
 */
export function timeOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d+(?:\.\d+)?$/.test(text)) return text
  const duration = parseDuration(text)
  if (typeof duration === 'number') return seconds(Date.now() - duration / 1e6)
  if (!DATE.test(text))
    throw usageError(`invalid value for a time: "${text}"`, 'write 10m, or 2026-01-31T13:00:00Z')
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
  const date = new Date(withTime(text.replace(/\.\d+/, '')))
  if (Number.isNaN(date.getTime())) throw usageError(`invalid value for a time: "${text}"`)
  return `${Math.floor(date.getTime() / 1000)}.${fraction.padEnd(9, '0').slice(0, 9)}`
}

/** A day alone is its beginning here, not in Greenwich; hours alone have minutes. */
function withTime(text: string): string {
  const zone = ZONED.exec(text.slice('2026-01-31'.length))?.[0] ?? ''
  const [day = '', time = ''] = text.slice(0, text.length - zone.length).split('T')
  const [hours = '00', minutes = '00', second = '00'] = time === '' ? [] : time.split(':')
  return `${day}T${hours}:${minutes}:${second}${zone}`
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(9)
}
