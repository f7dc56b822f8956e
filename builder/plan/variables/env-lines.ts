import type { Variables } from '#parser'

/** Variables as `KEY=value` lines. */
export function formatEnv(variables: Variables): readonly string[] {
  return Array.from(variables, ([key, value]) => `${key}=${value}`)
}
