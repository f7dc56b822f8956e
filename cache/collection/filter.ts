import { suggestion, TsbuildError } from '#core'
import { ITEM_TYPES, type StoreItem } from './store-item.ts'

/** Whether an item is meant. */
export type ItemFilter = (item: StoreItem) => boolean

/** A part of an item that filters compare: one text, or several of which one has to fit. */
type Field = (item: StoreItem) => readonly string[]

const FIELDS: Readonly<Record<string, Field>> = {
  // A cache mount is known by the id that the Dockerfile gives it, too, which is kept as a path.
  id: ({ id, label }) => (label === '' ? [id] : [id, label, label.replace(/^\//, '')]),
  type: ({ type }) => [type],
  description: ({ description }) => [description],
  parents: ({ parents }) => parents,
}

const FLAGS: Readonly<Record<string, ItemFilter>> = {
  inuse: ({ isInUse }) => isInUse,
  mutable: ({ isMutable }) => isMutable,
  immutable: ({ isMutable }) => !isMutable,
  shared: ({ images }) => images.length > 0,
  private: ({ images }) => images.length === 0,
}

const FILTER_KEYS: readonly string[] = [
  ...['until', 'unused-for'],
  ...Object.keys(FIELDS),
  ...Object.keys(FLAGS),
]

const FORM = /^([a-z-]+)(?:(!=|~=|=)(.*))?$/s

/**
 * Reads filters as docker and buildx have them; an item has to pass all of them. `until=24h` is for what was
 * not used for so long; `=` compares ids by their beginnings, `~=` anything by a regular expression.
 * @param now milliseconds since the epoch
 * @throws {TsbuildError} USAGE
 */
export function parseFilters(texts: readonly string[], now: number): ItemFilter {
  const filters = texts.map((text) => parseFilter(text, now))
  return (item) => filters.every((passes) => passes(item))
}

function parseFilter(text: string, now: number): ItemFilter {
  const [, key = '', operator, value = ''] = FORM.exec(text) ?? []
  const field = FIELDS[key]
  const flag = FLAGS[key]
  if (key === 'until' || key === 'unused-for') {
    if (operator !== '=') throw filterError(text, `write it like ${key}=24h`)
    const since = unusedSince(value, { text, now })
    return ({ lastUsedAt }) => lastUsedAt < since
  }
  if (flag !== undefined) {
    const wanted = operator === undefined ? true : booleanOf(value, text, key)
    if (operator === '~=') throw filterError(text, `write ${key}, or ${key}=false`)
    return (item) => flag(item) === ((operator === '!=') !== wanted)
  }
  if (field === undefined) throw unknownKeyError(text, key)
  if (operator === undefined)
    throw filterError(text, `write it like ${key}=VALUE, or ${key}~=REGEX`)
  if (key === 'type' && operator !== '~=') checkType(value, text)
  const fits = comparison(operator === '~=' ? regexOf(value, text) : value, key)
  return (item) => field(item).some(fits) === (operator !== '!=')
}

function comparison(value: string | RegExp, key: string): (text: string) => boolean {
  if (value instanceof RegExp) return (text) => value.test(text)
  // Lists show the beginning of an id.
  const isId = key === 'id' || key === 'parents'
  return (text) => text === value || (isId && value.length >= 4 && text.startsWith(value))
}

function checkType(value: string, text: string): void {
  const types: readonly string[] = ITEM_TYPES
  if (types.includes(value)) return
  const meant = suggestion(value, types)
  const hint = meant === undefined ? `choose one of ${types.join(', ')}` : `did you mean ${meant}?`
  throw filterError(text, hint)
}

function booleanOf(value: string, text: string, key: string): boolean {
  if (/^(?:true|1|t)$/i.test(value)) return true
  if (/^(?:false|0|f)$/i.test(value)) return false
  throw filterError(text, `write ${key}, ${key}=true or ${key}=false`)
}

function regexOf(value: string, text: string): RegExp {
  try {
    return new RegExp(value)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw filterError(
      text,
      'what follows ~= is a regular expression: escape its special characters',
    )
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/

/** A duration before now, or a time. @returns milliseconds since the epoch */
function unusedSince(
  value: string,
  { text, now }: { readonly text: string; readonly now: number },
): number {
  if (DURATION.test(value)) {
    const parts = value.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)
    return (
      now -
      [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0)
    )
  }
  if (/^\d{9,10}$/.test(value)) return Number(value) * 1000
  const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isFinite(time)) return time
  throw filterError(text, 'write a duration such as 24h, 90m or 7d, or a time such as 2026-01-31')
}

function unknownKeyError(text: string, key: string): TsbuildError {
  const meant = suggestion(key, FILTER_KEYS)
  return filterError(
    text,
    meant === undefined ? `filters are for ${FILTER_KEYS.join(', ')}` : `did you mean ${meant}?`,
  )
}

function filterError(text: string, hint: string): TsbuildError {
  return new TsbuildError(`invalid filter ${JSON.stringify(text.slice(0, 200))}`, {
    code: 'USAGE',
    hint,
  })
}
