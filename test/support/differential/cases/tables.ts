import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { WitnessName } from './witness-name.ts'

/** One case of `fixtures/differential`: `README.md` there describes the form. */
export interface DifferentialCase {
  /** The name of the table and of the case. */
  readonly name: string
  readonly dockerfile: string
  /** What BuildKit is given instead, where it does not know the words of `dockerfile`. */
  readonly equivalent: string | undefined
  /** Lines of a listing, see `makeFiles`. */
  readonly files: readonly string[]
  readonly options: readonly CaseOption[]
  /** Parts of the message, when the Dockerfile is to be refused. */
  readonly refusal: readonly string[] | undefined
  /** Whether it may be refused as well as accepted, as long as both do the same. */
  readonly isFree: boolean
  /** Why BuildKit comes to another result: a decision. */
  readonly reason: string | undefined
  /** What differs then, and nothing else does: the beginnings of differences. */
  readonly differing: readonly string[]
}

/** `@ KIND VALUE`, which `README.md` lists. */
export interface CaseOption {
  readonly kind: string
  readonly value: string
}

const FOLDER = fileURLToPath(new URL('../../../../../fixtures/differential/', import.meta.url))

/** The cases of one table, in order, as they are for this witness. */
export function readCases(table: string, witness: WitnessName): readonly DifferentialCase[] {
  const text = readFileSync(`${FOLDER}${table}.txt`, 'utf8')
  const [head = '', ...cases] = text.split(/^= /m)
  const common = head.split('\n').filter((line) => !line.startsWith('#'))
  return cases.map((one) => readCase(linesFor(witness, one.split('\n')), table, common))
}

/** The names of all tables that this witness can be asked about, sorted. */
export function tableNames(witness: WitnessName): readonly string[] {
  const folders = witness === 'newest' ? ['', 'newest/'] : ['']
  return folders
    .flatMap((folder) => readdirSync(`${FOLDER}${folder}`).map((name) => `${folder}${name}`))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -4))
    .sort()
}

/** Without what follows the name of another witness. */
function linesFor(witness: WitnessName, lines: readonly string[]): readonly string[] {
  let isMeant = true
  return lines.filter((line) => {
    if (!line.startsWith('% ')) return isMeant
    isMeant = line.slice(2) === witness
    return false
  })
}

const MARKS = new Set(['', '#', '>', '>>', '<', '+', '@', '!', '~', '-'])

function readCase(
  [title = '', ...own]: readonly string[],
  table: string,
  common: readonly string[],
): DifferentialCase {
  // A name that says it all is the instruction itself.
  const isNamed = own.some((line) => line.startsWith('>'))
  const lines = [...common, ...(isNamed ? [] : [`> ${title}`]), ...own]
  const unknown = lines.find((line) => !MARKS.has(line.split(' ', 1)[0] ?? ''))
  if (unknown !== undefined) throw new Error(`${table}: ${title}: what does "${unknown}" mean?`)
  const equivalent = linesOf(own, '<')
  const first = linesOf(common, '>')
  const refusal = linesOf(lines, '!')
  return {
    name: `${table}: ${title}`,
    dockerfile: dockerfileOf(lines),
    equivalent: equivalent.length === 0 ? undefined : `${[...first, ...equivalent].join('\n')}\n`,
    files: linesOf(lines, '+'),
    options: linesOf(lines, '@').map(optionOf),
    refusal: refusal.length === 0 ? undefined : refusal,
    isFree: false,
    reason: linesOf(lines, '~').join(' ') || undefined,
    differing: linesOf(lines, '-'),
  }
}

function linesOf(lines: readonly string[], mark: string): readonly string[] {
  return lines.flatMap((line) =>
    line === mark || line.startsWith(`${mark} `) ? [line.slice(mark.length + 1)] : [],
  )
}

function dockerfileOf(lines: readonly string[]): string {
  return lines
    .map((line) => {
      if (line.startsWith('>> ')) return JSON.parse(line.slice(3)) as string
      return line === '>' || line.startsWith('> ') ? `${line.slice(2)}\n` : ''
    })
    .join('')
}

function optionOf(line: string): CaseOption {
  const [kind = ''] = line.split(' ', 1)
  return { kind, value: line.slice(kind.length + 1) }
}
