import { isJsonObject, isSecretVariable, type Json, withoutCredentials } from '#core'

/** Crosses out what may be a secret in a text. */
export type Redact = (text: string) => string

/** Values that are shorter are words that stand elsewhere, too: they are crossed out behind their name. */
const LEAST_SECRET = 8
const CROSSED_OUT = 'xxxxx'

/**
 * Crosses out credentials of URLs, and the values of those variables that look like secrets, wherever
 * they stand.
 */
export function redactor(variables: Iterable<readonly [name: string, value: string]>): Redact {
  const secrets = [...variables]
    .filter(([name, value]) => value !== '' && isSecretVariable(name, value))
    // One may be a part of another one.
    .sort(([, a], [, b]) => b.length - a.length)
  const replacements = secrets.flatMap(([name, value]) => {
    const named = [`${name}=${value}`, `${name}=${CROSSED_OUT}`] as const
    return value.length < LEAST_SECRET ? [named] : [named, [value, CROSSED_OUT] as const]
  })
  return (text) =>
    withoutCredentials(replacements.reduce((rest, [from, to]) => rest.replaceAll(from, to), text))
}

/** The value of a variable as it may be shown. */
export function shownValue(name: string, value: string): string {
  return value !== '' && isSecretVariable(name, value) ? CROSSED_OUT : value
}

/** The value with every text in it, names of members included, crossed out where it has to be. */
export function redactJson(value: Json, redact: Redact): Json {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((one: Json) => redactJson(one, redact))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [redact(key), redactJson(one, redact)]),
  )
}
