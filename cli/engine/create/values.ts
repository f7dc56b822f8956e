import { readFileSync } from 'node:fs'
import { ioError, parseByteSize, usageError } from '#core'
import { parseDuration } from '#parser'
import type { Arguments } from '../../arguments/flags.ts'

/** A whole number; `undefined` when the flag is not given. @throws {TsbuildError} USAGE */
export function integerOf(args: Arguments, name: string): number | undefined {
  const text = args.text(name)
  if (text === undefined) return undefined
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw argumentError(name, text, 'it has to be a whole number')
}

/** Bytes of a size such as `64m`. @throws {TsbuildError} USAGE */
export function bytesOf(args: Arguments, name: string): number | undefined {
  const text = args.text(name)
  return text === undefined ? undefined : parseSize(text, name)
}

/** @throws {TsbuildError} USAGE */
export function parseSize(text: string, flag: string): number {
  const bytes = parseByteSize(text)
  if (bytes !== undefined) return bytes
  throw argumentError(flag, text, `invalid size: '${text}'`)
}

/** Nanoseconds of `1m30s`. @throws {TsbuildError} USAGE */
export function durationOf(args: Arguments, name: string): number | undefined {
  const text = args.text(name)
  if (text === undefined) return undefined
  const duration = parseDuration(text)
  if (typeof duration !== 'number') throw argumentError(name, text, duration.mistake)
  if (duration < 0) throw usageError(`--${name} cannot be negative`)
  return duration
}

/** `key=value` or `key` alone, the later of the same key. */
export function pairs(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map(splitPair))
}

/** What stands before the first `=`, and what behind. */
export function splitPair(entry: string): readonly [string, string] {
  const at = entry.indexOf('=')
  return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
}

/** The error for a value that a flag cannot have. */
export function argumentError(flag: string, value: string, reason: string): Error {
  return usageError(`invalid argument "${value}" for "--${flag}" flag: ${reason}`)
}

type Environment = Readonly<Record<string, string | undefined>>

/** Entries of a file as `--env-file` and `--label-file` have them: comments and empty lines are passed over. */
export function linesOfFile(path: string, env: Environment | undefined): readonly string[] {
  const lines = readText(path).split(/\r?\n/)
  return lines.flatMap((line) => {
    const text = line.trimStart()
    if (text === '' || text.startsWith('#')) return []
    const [name] = splitPair(text)
    if (name === '') throw usageError(`no variable name on line '${text}'`)
    if (/\s/.test(name)) throw usageError(`variable '${name}' contains whitespaces`)
    if (text.includes('=') || env === undefined) return [text]
    const value = env[name]
    return value === undefined ? [] : [`${name}=${value}`]
  })
}

/** @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw ioError(`open ${path}`, cause)
  }
}

/** The fields of a value in CSV, in which quotes stand around a field with a comma. */
export function csvFields(text: string): readonly string[] {
  const fields = text.match(/(?:^|,)(?:"(?:[^"]|"")*"|[^,]*)/g) ?? []
  return fields.map((field) => {
    const plain = field.startsWith(',') ? field.slice(1) : field
    return plain.startsWith('"') ? plain.slice(1, -1).replaceAll('""', '"') : plain
  })
}

/** Fields of which none is `undefined`. */
type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

/** Without the fields that say nothing: as Go leaves out what is empty. */
export function withoutEmpty<T extends object>(fields: T): Given<T> {
  const isEmpty = (value: unknown): boolean =>
    value === undefined ||
    value === '' ||
    value === false ||
    value === 0 ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => !isEmpty(value)),
  ) as Given<T>
}
