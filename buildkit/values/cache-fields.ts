import { suggestion, usageError } from '#core'
import { splitCsv } from './split-csv.ts'

/** The keys and values of one `--cache-from` or `--cache-to`. */
export type Fields = ReadonlyMap<string, string>

/** A value of one of these flags. */
export type CacheValue =
  | { readonly kind: 'references'; readonly refs: readonly string[] }
  | { readonly kind: 'fields'; readonly type: string; readonly fields: Fields }

/** The keys that each type takes. */
export type CacheTypes = Readonly<Record<string, readonly string[]>>

/** What is never shown: a message may end in a log. */
const SECRET = /\b((?:access_key_id|secret_access_key|session_token|token|account_url)=)[^,]*/gi

/** A value as messages show it. */
function shown(value: string): string {
  return value.replace(SECRET, '$1…')
}

/**
 * Reads the fields of `type=T,key=value…`, or names of images alone.
 * @throws {TsbuildError} USAGE
 */
export function readCacheValue(
  parts: readonly string[],
  { flag, types }: { readonly flag: string; readonly types: CacheTypes },
): CacheValue {
  const value = parts.join()
  if (parts.every((part) => !part.includes('='))) {
    const refs = parts.filter((part) => part !== '')
    if (refs.length === 0) throw usageError(`${flag} must not be empty`, hintFor(flag))
    return { kind: 'references', refs }
  }
  const fields = new Map<string, string>()
  for (const part of parts) {
    const at = part.indexOf('=')
    if (at < 1) {
      const reason = `"${shown(part)}" is not key=value`
      throw usageError(`invalid ${flag} "${shown(value)}": ${reason}`, hintFor(flag))
    }
    fields.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1))
  }
  const type = fields.get('type')
  if (type === undefined) throw usageError(`${flag} "${shown(value)}" has no type`, hintFor(flag))
  const keys = Object.hasOwn(types, type) ? types[type] : undefined
  if (keys === undefined) throw unknownTypeError(flag, type, Object.keys(types))
  for (const key of fields.keys()) {
    if (key === 'type' || keys.includes(key)) continue
    const taken = keys.length === 0 ? 'no options' : keys.join(', ')
    throw usageError(`unknown option "${key}" of ${flag}`, `type=${type} takes ${taken}`)
  }
  return { kind: 'fields', type, fields }
}

/** The fields of a value. @throws {TsbuildError} USAGE */
export function splitFields(value: string, flag: string): readonly string[] {
  try {
    return splitCsv(value)
  } catch {
    throw usageError(`invalid quotes in ${flag} "${shown(value)}"`, 'write "key=a,b" to quote')
  }
}

function unknownTypeError(
  flag: string,
  type: string,
  types: readonly string[],
): ReturnType<typeof usageError> {
  if (flag === '--cache-from' && type === 'inline') {
    return usageError(
      'an inline cache is read from its image',
      'write --cache-from type=registry,ref=IMAGE',
    )
  }
  const similar = suggestion(type, types)
  const hint =
    similar === undefined ? `choose one of ${types.join(', ')}` : `did you mean ${similar}?`
  return usageError(`unknown cache type "${type}"`, hint)
}

function hintFor(flag: string): string {
  return `write ${flag} type=registry,ref=REGISTRY/NAME:TAG`
}

/** A field that must be there. @param usage how it is written */
export function needed(fields: Fields, key: string, usage: string): string {
  const found = fields.get(key)
  if (found) return found
  throw usageError(`a cache of type ${fields.get('type')} has no ${key}`, `write ${usage}`)
}

/** A field that may be there, under the name that the library has for it. */
export function text<K extends string>(
  fields: Fields,
  key: string,
  name: K,
): { readonly [P in K]?: string } {
  const found = fields.get(key)
  return found ? ({ [name]: found } as { readonly [P in K]?: string }) : {}
}

/** Whether a switch is on. */
export function isOn(fields: Fields, key: string): boolean {
  const found = fields.get(key)
  if (found === undefined || found === 'false' || found === '0') return false
  if (found === 'true' || found === '1') return true
  throw usageError(`invalid value "${found}" for the cache option ${key}`, 'write true or false')
}

/** One of some words. */
export function choice<T extends string>(
  fields: Fields,
  key: string,
  all: readonly T[],
): T | undefined {
  const found = fields.get(key)
  if (found === undefined) return undefined
  const known = all.find((one) => one === found)
  if (known !== undefined) return known
  throw usageError(`invalid ${key} "${found}" of a cache`, `choose one of ${all.join(', ')}`)
}

/** A whole number. */
export function count(fields: Fields, key: string): number | undefined {
  const found = fields.get(key)
  if (found === undefined) return undefined
  if (/^\d{1,6}$/.test(found)) return Number(found)
  throw usageError(`invalid ${key} "${found}" of a cache`, 'write a number')
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A duration such as `24h` or `1h30m`, in milliseconds. */
export function duration(fields: Fields, key: string): number | undefined {
  const found = fields.get(key)
  if (found === undefined) return undefined
  if (!/^(?:0|(?:\d+(?:\.\d+)?(?:ms|[smh]))+)$/.test(found)) {
    throw usageError(`invalid ${key} "${found}" of a cache`, 'write a duration such as 24h or 90m')
  }
  const parts = found.matchAll(/(\d+(?:\.\d+)?)(ms|[smh])/g)
  return [...parts].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (UNITS[unit] ?? 0),
    0,
  )
}
