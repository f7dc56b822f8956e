import type { Variables } from './expand.ts'

/** `KEY=value` lines as entries; a line without `=` is a variable without a value. */
export function parseEnv(lines: readonly string[]): readonly (readonly [string, string])[] {
  return lines.map((line) => {
    const at = line.indexOf('=')
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
  })
}

export function formatEnv(variables: Variables): readonly string[] {
  return Array.from(variables, ([key, value]) => `${key}=${value}`)
}
