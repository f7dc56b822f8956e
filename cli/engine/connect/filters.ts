import { usageError } from '#core'
import type { Arguments } from '../../arguments/flags.ts'

/** `--filter NAME=VALUE` as the interface takes it; `undefined` without one. @throws {TsbuildError} USAGE */
export function filtersOf(
  args: Arguments,
  more: Readonly<Record<string, readonly string[]>> = {},
): string | undefined {
  const filters: Record<string, string[]> = {}
  for (const [name, values] of Object.entries(more)) filters[name] = [...values]
  for (const text of args.list('filter')) {
    const at = text.indexOf('=')
    if (at === -1)
      throw usageError(
        `invalid argument "${text}" for "-f, --filter" flag: invalid filter '${text}'`,
        'write NAME=VALUE',
      )
    const name = text.slice(0, at).trim().toLowerCase()
    const values = filters[name] ?? []
    filters[name] = [...values, text.slice(at + 1).trim()]
  }
  if (Object.keys(filters).length === 0) return undefined
  const sorted = Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))
  const sets = sorted.map(([name, values]) => [
    name,
    Object.fromEntries(values.map((value) => [value, true])),
  ])
  return JSON.stringify(Object.fromEntries(sets))
}
