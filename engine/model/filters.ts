import { isJsonObject, type Json, TsbuildError } from '#core'
import { parseMoment } from './time.ts'

/** Values by the name of a filter. */
export type Filters = ReadonlyMap<string, readonly string[]>

/**
 * Reads the `filters` of a query: a map of lists, or, of clients before 1.22, of maps to true.
 * @param known the names that are allowed; absent: any
 * @throws {TsbuildError} USAGE
 */
export function parseFilters(text: string | undefined, known?: readonly string[]): Filters {
  if (text === undefined || text === '') return new Map()
  const document = parseJson(text)
  if (!isJsonObject(document)) throw invalidFilterError(text)
  const found = Object.entries(document).map(([name, value]) => {
    if (known?.includes(name) === false) {
      throw new TsbuildError(`invalid filter '${name}'`, { code: 'USAGE' })
    }
    return [name, valuesOf(value, text)] as const
  })
  return new Map(found)
}

function valuesOf(value: Json | undefined, text: string): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  if (isJsonObject(value)) return Object.keys(value).filter((key) => value[key] === true)
  throw invalidFilterError(text)
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw invalidFilterError(text, cause)
  }
}

function invalidFilterError(text: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`invalid filter ${JSON.stringify(text.slice(0, 100))}`, {
    code: 'USAGE',
    cause,
  })
}

/** Whether labels fit all values of `label` and none of `label!`: `NAME` or `NAME=VALUE`. */
export function matchesLabels(
  filters: Filters,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const fits = (wanted: string): boolean => {
    const at = wanted.indexOf('=')
    if (at < 0) return Object.hasOwn(labels, wanted)
    return labels[wanted.slice(0, at)] === wanted.slice(at + 1)
  }
  return (filters.get('label') ?? []).every(fits) && !(filters.get('label!') ?? []).some(fits)
}

/** Whether one of the values of a filter fits; true without that filter. */
export function matchesAny(
  filters: Filters,
  name: string,
  fits: (value: string) => boolean,
): boolean {
  const values = filters.get(name)
  return values === undefined || values.length === 0 || values.some(fits)
}

/** The value of a filter that is true or false; absent: not asked for. @throws {TsbuildError} USAGE */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name) ?? []
  if (values.length === 0) return undefined
  const isTrue = values.some((value) => value === 'true' || value === '1')
  const isFalse = values.some((value) => value === 'false' || value === '0')
  if (isTrue !== isFalse) return isTrue
  throw new TsbuildError(`invalid filter '${name}=[${values.join(' ')}]'`, { code: 'USAGE' })
}

/** Whether a thing is older than `until` says; all are without that filter. @throws {TsbuildError} USAGE */
export function untilFilter(filters: Filters): (created: bigint | undefined) => boolean {
  const [text, second] = filters.get('until') ?? []
  if (second !== undefined) {
    throw new TsbuildError('more than one until filter specified', { code: 'USAGE' })
  }
  if (text === undefined) return () => true
  const limit = parseMoment(text)
  return (created) => created !== undefined && created < limit
}

/** Whether one of the names of a thing fits `name`: has it as a part, or a part that fits it as a pattern. */
export function nameFilter(filters: Filters): (...names: readonly string[]) => boolean {
  const wanted = (filters.get('name') ?? []).map(nameMatcher)
  return (...names) =>
    wanted.length === 0 || names.some((name) => wanted.some((fits) => fits(name)))
}

function nameMatcher(wanted: string): (name: string) => boolean {
  const pattern = patternOf(wanted)
  return (name) => name.includes(wanted) || pattern?.test(name) === true
}

const MOST_CHARACTERS = 100
const MOST_REPETITIONS = 3
const MOST_CHOICES = 10

/** A pattern of a client may need any amount of time: one that might is none, as one that is malformed. */
function patternOf(text: string): RegExp | undefined {
  const isSlow =
    text.length > MOST_CHARACTERS ||
    /\)[*+?{]|\(\?|\\[\dk]/.test(text) ||
    (text.match(/[*+{]/g) ?? []).length > MOST_REPETITIONS ||
    (text.match(/[|?]/g) ?? []).length > MOST_CHOICES
  if (isSlow) return undefined
  try {
    return new RegExp(text)
  } catch {
    return undefined
  }
}
