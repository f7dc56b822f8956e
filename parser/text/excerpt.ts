import { printable } from './characters.ts'
import type { SourceRange } from './source.ts'

const RULE = '--------------------'
const MAX_COLUMNS = 400

/**
 * The lines around `ranges` in BuildKit's form, marked with `>>>`; carets underline a range that
 * lies within one line and does not cover all of it. What lies between ranges that are far apart is
 * left out. Ends with a newline; empty when there are no such lines. Control characters are
 * made visible, so that a hostile file cannot drive the terminal.
 * @param source a file, or its lines where it is asked for often
 */
export function excerpt(
  source: string | readonly string[],
  ranges: SourceRange | readonly SourceRange[],
  filename: string,
): string {
  const marked = 'start' in ranges ? [ranges] : ranges
  const lines = typeof source === 'string' ? sourceLines(source) : source
  const first = marked.reduce((line, { start }) => Math.min(line, start.line), Infinity)
  const last = marked.reduce((line, range) => Math.max(line, lastLine(range)), 0)
  if (first < 1 || first > lines.length) return ''
  const padding = first === last ? 2 : 1
  const shown: string[] = [`${filename}:${first}`, RULE]
  const end = Math.min(last + padding, lines.length)
  let isGap = false
  for (let line = Math.max(first - padding, 1); line <= end; line++) {
    const text = lines[line - 1] ?? ''
    const near = marked.filter((range) => {
      return range.start.line - padding <= line && line <= lastLine(range) + padding
    })
    if (near.length === 0) {
      if (!isGap) shown.push(' ... |')
      isGap = true
      continue
    }
    isGap = false
    const hits = near.filter((range) => range.start.line <= line && line <= lastLine(range))
    const mark = hits.length > 0 ? '>>>' : '   '
    shown.push(` ${String(line).padStart(3)} | ${mark} ${shorten(text)}`)
    const carets = caretsUnder(text, hits)
    if (carets !== '') shown.push(`     |     ${carets}`)
  }
  return `${[...shown, RULE].join('\n')}\n`
}

/** The lines of a file. */
export function sourceLines(source: string): readonly string[] {
  return source.replace(/^\ufeff/, '').split('\n')
}

/** A range that ends before the first column of a line does not touch that line. */
function lastLine(range: SourceRange): number {
  const { start, end } = range
  return end.column === 1 && end.line > start.line ? end.line - 1 : end.line
}

function caretsUnder(text: string, ranges: readonly SourceRange[]): string {
  const content = text.trim().length
  let carets = ''
  for (const { start, end } of ranges) {
    const width = end.column - start.column
    const isWhole = width >= content
    if (start.line !== end.line || width <= 0 || isWhole || end.column > MAX_COLUMNS) continue
    const indent = text.slice(carets.length, start.column - 1).replace(/[^\t]/g, ' ')
    carets += indent + '^'.repeat(width)
  }
  return carets
}

/** One line as it is shown. */
function shorten(text: string): string {
  const cut = text.length > MAX_COLUMNS ? `${text.slice(0, MAX_COLUMNS)}…` : text
  return printable(cut.replace(/\r$/, ''))
}
