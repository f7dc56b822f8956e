import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One case of `fixtures/dockerignore`: `wildcards.txt` describes the form. */
export interface IgnoreCase {
  readonly name: string
  /** Text of the ignore file. */
  readonly text: string
  readonly ignored: readonly string[]
  readonly kept: readonly string[]
  /** The whole message when the file is refused. */
  readonly error: string | undefined
  /** Why an old release of BuildKit comes to another result. */
  readonly difference: string | undefined
}

const FOLDER = fileURLToPath(new URL('../../../../fixtures/dockerignore/', import.meta.url))

/** Every case of every table. */
export function readIgnoreCases(): readonly IgnoreCase[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((file) => readTable(readFileSync(`${FOLDER}${file}`, 'utf8')))
}

function readTable(table: string): readonly IgnoreCase[] {
  const cases = table.split(/^= /m).slice(1)
  return cases.map((text) => {
    const [name = '', ...lines] = text.split('\n')
    const all = (mark: string): string[] =>
      lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(1).trim())
    return {
      name,
      text: lines
        .filter((line) => line.startsWith('> '))
        .map((line) => unquote(line.slice(2)))
        .join('\n'),
      ignored: all('-').flatMap(words),
      kept: all('+').flatMap(words),
      error: all('!')[0],
      difference: all('~')[0],
    }
  })
}

function words(line: string): readonly string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map(unquote)
}

function unquote(text: string): string {
  return text.startsWith('"') ? JSON.parse(text) : text
}
