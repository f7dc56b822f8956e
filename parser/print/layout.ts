/**
 * Where the lines of a printed instruction end. Its parts are looked up in the text as written: where
 * that has line breaks, between parts or within one, the print has them too.
 */
import type { InstructionBase, LineBreak } from '../ast/ast.ts'
import type { InstructionParts } from '../lines/instruction-parts.ts'
import { continuationAt } from '../lines/lines.ts'
import { isBlank, isSpace, skipWhile, trimEnd } from '../text/characters.ts'
import { type Escape, isFlag, parseJsonArray, scanFlag, stringSpans } from '../text/scan.ts'

const INDENT = '    '

/** A piece of the print. */
interface Piece {
  readonly text: string
  /** What stands before it on the same line. */
  readonly gap: '' | ' ' | '\v'
  /** Where it stands in the text as written; `undefined` when it is not there. */
  readonly span: readonly [start: number, end: number] | undefined
}

type Written = Pick<InstructionBase, 'text' | 'breaks'>

/** The lines of an instruction, without the last line feed. */
export function layOut(written: Written, parts: InstructionParts, escapeChar: Escape): string {
  const pieces = keepProtected(
    placeParts(written.text, parts, escapeChar),
    written.text,
    escapeChar,
  )
  const breaks = assignBreaks(written.breaks, pieces)
  let printed = ''
  for (const [index, piece] of pieces.entries()) {
    const found = breaks[index] ?? []
    const within = found.filter(({ offset }) => isWithin(offset, piece))
    const before = found.filter(({ offset }) => !isWithin(offset, piece))
    printed += before.length > 0 ? piece.gap || ' ' : piece.gap
    for (const each of before) printed += `${newLine(each, escapeChar)}${INDENT}`
    printed += breakText(piece, within, escapeChar)
  }
  // White space other than blanks ends the line without continuing it.
  const isContinued = continuationAt(printed.slice(printed.lastIndexOf('\n') + 1), escapeChar) >= 0
  return isContinued ? `${printed}\f` : printed
}

/** The breaks before or within each piece. Those in what is not printed go to the next one that is. */
function assignBreaks(
  breaks: readonly LineBreak[],
  pieces: readonly Piece[],
): readonly (readonly LineBreak[])[] {
  const assigned: LineBreak[][] = pieces.map(() => [])
  let index = 0
  for (const found of breaks) {
    while (index < pieces.length - 1 && endOf(pieces[index]) <= found.offset) index++
    assigned[index]?.push(found)
  }
  return assigned
}

function endOf(piece: Piece | undefined): number {
  return piece?.span?.[1] ?? 0
}

function isWithin(offset: number, { span }: Piece): boolean {
  return span !== undefined && offset > span[0] && offset < span[1]
}

function breakText(piece: Piece, within: readonly LineBreak[], escapeChar: Escape): string {
  const { text, span } = piece
  const start = span?.[0] ?? 0
  let broken = ''
  let from = 0
  for (const found of within) {
    const to = found.offset - start
    broken += text.slice(from, to) + newLine(found, escapeChar)
    from = to
  }
  return broken + text.slice(from)
}

function newLine({ comments, hasBlankLine }: LineBreak, escapeChar: Escape): string {
  const lines = comments.map(({ text }) => `${INDENT}#${text}\n`)
  return `${escapeChar}\n${hasBlankLine ? '\n' : ''}${lines.join('')}`
}

function placeParts(
  text: string,
  { parts, separator }: InstructionParts,
  escapeChar: Escape,
): readonly Piece[] {
  const pieces: Piece[] = []
  let cursor = 0
  for (const part of parts) {
    const gap = pieces.length === 0 ? '' : separator
    // Some instructions take white space other than blanks for letters.
    const blankEnd = skipWhile(text, cursor, isBlank)
    const isLetter = typeof part === 'string' && standsAt(text, part, blankEnd)
    const start = isLetter ? blankEnd : skipWhile(text, cursor, isSpace)
    if (typeof part !== 'string') return [...pieces, ...jsonPieces(part, text, start)]
    const end = standsAt(text, part, start) ? start : endOfFlags(text, [cursor, start], escapeChar)
    // A line may be broken before the `--`, and must not begin with a # then.
    if (end > start && part.startsWith('#')) {
      pieces.push({ text: text.slice(start, end), gap, span: [start, end] })
    }
    const at = isLetter ? start : skipWhile(text, end, isSpace)
    const isThere = standsAt(text, part, at)
    if (isThere) cursor = at + part.length
    pieces.push({ text: part, gap, span: isThere ? [at, cursor] : undefined })
  }
  // Flags that are ended with nothing behind them: the line may be broken before that.
  const start = skipWhile(text, cursor, isSpace)
  const end = endOfFlags(text, [cursor, start], escapeChar)
  if (end === start) return pieces
  return [...pieces, { text: text.slice(start, end), gap: separator, span: [start, end] }]
}

/** Keywords may have been changed to upper case. */
function standsAt(text: string, part: string, start: number): boolean {
  return text.slice(start, start + part.length).toLowerCase() === part.toLowerCase()
}

/** Behind the `--` at `start`, if there is one, the word in front of which ends at `before`. */
function endOfFlags(
  text: string,
  [before, start]: readonly [number, number],
  escapeChar: Escape,
): number {
  if (!isFlag(text, start, before)) return start
  const { end, value } = scanFlag(text, start, escapeChar)
  return value === '--' ? end : start
}

/** The pieces of an array of strings, with their escapes as they were written. */
function jsonPieces(strings: readonly string[], text: string, start: number): readonly Piece[] {
  const first = Math.max(text.indexOf('[', start), 0)
  const written = text.slice(first, trimEnd(text, first, text.length))
  const texts = strings.map((string) => JSON.stringify(string))
  if (JSON.stringify(parseJsonArray(written, 0)) !== `[${texts.join(',')}]`) {
    return [{ text: `[${texts.join(', ')}]`, gap: ' ', span: undefined }]
  }
  const mark = (char: string, at: number): Piece => {
    return { text: char, gap: '', span: [at, at + 1] }
  }
  const pieces: Piece[] = [{ ...mark('[', first), gap: ' ' }]
  for (const [index, [from, to]] of stringSpans(written).entries()) {
    if (index > 0) pieces.push(mark(',', text.indexOf(',', endOf(pieces.at(-1)))))
    const span = [first + from, first + to] as const
    pieces.push({ text: text.slice(...span), gap: index > 0 ? ' ' : '', span })
  }
  return [...pieces, mark(']', first + written.length - 1)]
}

/**
 * Joins pieces with an escape between them by the original white space: whether the escape protects
 * it depends on the reader (the search for heredocs follows a shell's rules, the split into words
 * does not).
 */
function keepProtected(
  pieces: readonly Piece[],
  text: string,
  escapeChar: Escape,
): readonly Piece[] {
  const kept: Piece[] = []
  for (const piece of pieces) {
    const last = kept.at(-1)
    const isProtected = last?.text.endsWith('\\') || last?.text.endsWith(escapeChar)
    if (isProtected && last?.span !== undefined && piece.span !== undefined) {
      const span = [last.span[0], piece.span[1]] as const
      kept[kept.length - 1] = { text: text.slice(...span), gap: last.gap, span }
    } else kept.push(piece)
  }
  return kept
}
