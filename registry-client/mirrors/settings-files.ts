import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf, ioError, TsbuildError } from '#core'

/** A table of TOML. */
export type TomlTable = Readonly<Record<string, unknown>>

/** A file of another program's settings; `undefined` when it is not there or not for this user. */
export function readSettings(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(cause) ?? '')) return undefined
    throw ioError(`read ${path}`, cause)
  }
}

/** The same, as TOML. @throws {TsbuildError} CONFIG_INVALID */
export async function readToml(path: string): Promise<TomlTable | undefined> {
  const text = readSettings(path)
  if (text === undefined) return undefined
  const { parse } = await import('./toml.ts')
  try {
    return parse(text)
  } catch (cause) {
    const [first = ''] = (cause instanceof Error ? cause.message : '').split('\n')
    throw new TsbuildError(`${path}: ${first}`, {
      code: 'CONFIG_INVALID',
      cause,
      hint: 'repair it: it says from where images are pulled',
    })
  }
}

/** A list of tables; everything else is none. */
export function tablesIn(value: unknown): readonly TomlTable[] {
  return Array.isArray(value) ? value.filter(isTable) : []
}

/** Whether a value is a table. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text; everything else is `undefined`. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The names in a folder, sorted; none of one that is not there or not for this user. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
