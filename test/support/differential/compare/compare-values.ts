/** A document as the texts of its values, by their places in it: `config.Env[1]`. */
export type Values = ReadonlyMap<string, string>

/** One line for each place where two documents differ, which begins with the place. */
export function compareValues(ours: Values, theirs: Values): string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((key) => ours.get(key) !== theirs.get(key))
    .map((key) => `${key}: here ${ours.get(key) ?? 'none'}, BuildKit ${theirs.get(key) ?? 'none'}`)
}

/** Adds what is at `path` of a JSON document, and below it. */
export function flatten(value: unknown, path: string, into: Map<string, string>): void {
  // Go programs write an absent list as null.
  if (value === null || value === undefined) return
  if (typeof value !== 'object') {
    into.set(path, JSON.stringify(value))
    return
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) flatten(item, `${path}[${index}]`, into)
    return
  }
  const entries = Object.entries(value)
  if (entries.length === 0) into.set(path, '{}')
  for (const [key, item] of entries) flatten(item, `${path}.${key}`, into)
}
