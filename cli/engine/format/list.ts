import type { Arguments } from '../../arguments/flags.ts'
import { print, type Shell } from '../../terminal/shell.ts'
import { cleanLine } from '../../terminal/text.ts'
import { parseTemplate } from '../template/go-template.ts'
import type { Value, ValueObject } from '../template/value.ts'
import { alignTabs } from './tab-writer.ts'

/** A kind of list: what its rows have, and how it is printed unless it is said. */
export interface ListKind<T> {
  /** Placeholders of a row: their headings in tables, and values. */
  readonly columns: Readonly<Record<string, Column<T>>>
  /** Placeholders of the table, in order. */
  readonly table: readonly string[]
  /** What `--quiet` prints. */
  readonly quiet: string
}

/** A placeholder of a list. */
export type Column<T> = readonly [heading: string, value: (item: T) => Value]

/** Prints a list as `--format` and `--quiet` ask for it. @throws {TsbuildError} USAGE */
export async function printList<T>(
  items: readonly T[],
  kind: ListKind<T>,
  { args, shell }: { readonly args: Arguments; readonly shell: Shell },
): Promise<void> {
  await print(shell, listText(items, kind, args))
}

/** The text of a list. */
export function listText<T>(items: readonly T[], kind: ListKind<T>, args: Arguments): string {
  const format = formatOf(kind, args)
  const rows = items.map((item) => rowOf(item, kind))
  if (format === 'json') return rows.map((row) => `${jsonOf(row)}\n`).join('')
  const isTable = /^table(?:\s|$)/.test(format)
  const template = parseTemplate(
    unescaped(isTable ? format.slice('table'.length).trimStart() : format),
  )
  // What stands in names and labels is written by strangers, and a tab of theirs would be a column.
  const lines = rows.map((row) =>
    template(row)
      .split('\t')
      .map(isTable ? cleanLine : (cell) => cell)
      .join('\t'),
  )
  if (!isTable) return lines.map((line) => `${line}\n`).join('')
  return alignTabs([template(headingsOf(kind)), ...lines])
}

function formatOf<T>({ table, quiet }: ListKind<T>, args: Arguments): string {
  const format = args.text('format') ?? ''
  const isQuiet = args.has('quiet')
  if (format !== '' && format !== 'table') return format
  return isQuiet ? quiet : `table ${table.map((name) => `{{.${name}}}`).join('\t')}`
}

/** As people write tabs and line ends in a shell. */
function unescaped(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
}

function rowOf<T>(item: T, { columns }: ListKind<T>): ValueObject {
  const entries = Object.entries(columns)
  return Object.fromEntries(entries.map(([name, [, value]]) => [name, value(item)]))
}

/** Keys in order, as Go writes maps; what is not a value has no place in JSON. */
function jsonOf(row: ValueObject): string {
  const entries = Object.entries(row).filter(([, value]) => typeof value !== 'function')
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))))
}

function headingsOf<T>({ columns }: ListKind<T>): ValueObject {
  return Object.fromEntries(
    Object.entries(columns).map(([name, [heading]]) => [
      name,
      heading === '' ? ([word]: readonly Value[]) => String(word) : heading,
    ]),
  )
}
