import { parseBoolean, usageError } from '#core'

/** What a client tells the frontend, by name. */
export type Attributes = ReadonlyMap<string, string>

/** Those whose names begin so, without the beginning. */
export function withPrefix(attributes: Attributes, prefix: string): Record<string, string> {
  const found = [...attributes].filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]))
}

/** One that has a value. */
export function textOf(attributes: Attributes, name: string): string | undefined {
  return attributes.get(name) || undefined
}

/** A whole number. @throws {TsbuildError} USAGE */
export function numberOf(attributes: Attributes, name: string): number | undefined {
  const text = textOf(attributes, name)
  if (text === undefined) return undefined
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw usageError(`invalid ${name} value: ${JSON.stringify(text.slice(0, 50))}`)
}

/** A switch. @throws {TsbuildError} USAGE */
export function switchOf(attributes: Attributes, name: string): boolean | undefined {
  const text = textOf(attributes, name)
  if (text === undefined) return undefined
  const value = parseBoolean(text)
  if (value !== undefined) return value
  throw usageError(
    `invalid boolean value for ${name}: ${JSON.stringify(text.slice(0, 50))}`,
    'write true or false',
  )
}
