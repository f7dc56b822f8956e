import { isJsonObject, type Json, TsbuildError } from '#core'

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
