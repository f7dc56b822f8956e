import type { BuildCheck } from '#builder'
import { excerpt, sourceLines } from '#parser'
import { cleanLine } from '../terminal/text.ts'

/** What the checks have found, for people: in the order of the lines, with an excerpt each. */
export function checkText({ warnings, source, error }: BuildCheck): string {
  if (warnings.length === 0)
    return error === undefined ? 'Check complete, no warnings found.\n' : ''
  const count =
    warnings.length === 1
      ? '1 warning has been found!'
      : `${warnings.length} warnings have been found!`
  const sorted = warnings.toSorted((a, b) => a.range.start.line - b.range.start.line)
  const text = sourceLines(source.text)
  const blocks = sorted.map(({ rule, url, message, range }) => {
    const shown = excerpt(text, range, source.filename)
    const head = url === undefined ? rule : `${rule} - ${url}`
    return ['', `WARNING: ${head}`, message, ...shown.split('\n').slice(0, -1)]
  })
  const lines = [`Check complete, ${count}`, ...blocks.flat()]
  return lines.map((line) => `${cleanLine(line)}\n`).join('')
}
