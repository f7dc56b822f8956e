/**
 * The pass in front of the lexer: physical lines become logical ones. Continuations are joined,
 * comments and heredoc bodies set aside, blank lines dropped; every character of a logical line can
 * be traced back to where it came from.
 */
import type { Comment, Heredoc, LineBreak } from '../ast/ast.ts'
import { isSpace, skipWhile, trimEnd, trimSpace } from '../text/characters.ts'
import type { Diagnostic } from '../text/diagnostics.ts'
import type { Escape } from '../text/scan.ts'
import type { LineSpan, Position, SourceRange } from '../text/source.ts'
import { type HeredocHead, heredocsOf } from './heredocs.ts'
import { endOf, LineReader, type PhysicalLine, wholeLine } from './line-reader.ts'

/** One instruction: never blank, leading white space removed. */
export interface LogicalLine {
  readonly text: string
  readonly pieces: readonly Piece[]
  /** After the last character of the instruction, heredoc bodies included. */
  readonly end: Position
  /** Including heredoc bodies, and the lines after a continuation at the end of the file. */
  readonly lines: LineSpan
  readonly heredocs: readonly Heredoc[]
  /** The comments since the previous instruction. */
  readonly comments: readonly Comment[]
  /** Where it was joined, up to its last character. */
  readonly breaks: readonly LineBreak[]
}

/** The logical lines of a file. */
export interface Lines {
  readonly lines: readonly LogicalLine[]
  /** Behind the last instruction. */
  readonly comments: readonly Comment[]
}

/** From `offset` on, the text of a logical line stands at `position`, up to the next piece. */
interface Piece {
  readonly offset: number
  readonly position: Position
}

type Report = (diagnostic: Diagnostic) => void

/** The place of the character at `offset` of a logical line. */
export function positionAt(line: LogicalLine, offset: number): Position {
  const { pieces } = line
  let low = 0
  for (let high = pieces.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1
    if ((pieces[middle]?.offset ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  const piece = pieces[low]
  if (piece === undefined) return { line: 1, column: offset + 1 }
  const { position } = piece
  return { line: position.line, column: position.column + offset - piece.offset }
}

/** The range of `start` to `end` of a logical line; it ends on the line of its last character. */
export function rangeOf(line: LogicalLine, start: number, end: number): SourceRange {
  const from = positionAt(line, start)
  if (end <= start) return { start: from, end: from }
  const last = positionAt(line, end - 1)
  return { start: from, end: { line: last.line, column: last.column + 1 } }
}

/** The instructions and comments of a file, in order. Mistakes go to `report`. */
export function readLines(source: string, escapeChar: Escape, report: Report): Lines {
  const reader = new LineReader(source, report)
  const lines: LogicalLine[] = []
  let comments: Comment[] = []
  for (let first = reader.next(); first !== undefined; first = reader.next()) {
    const start = skipWhile(first.text, 0, isSpace)
    if (start === first.text.length) continue
    if (first.text[start] === '#') {
      comments.push(commentOf(first, start))
      continue
    }
    const joined = joinContinuations(reader, first, escapeChar)
    const line = readInstruction(reader, { joined, comments, escapeChar, report })
    if (line !== undefined) {
      lines.push(line)
      comments = []
    }
    comments.push(...joined.after)
  }
  return { lines, comments }
}

function commentOf(line: PhysicalLine, start: number): Comment {
  const end = trimEnd(line.text, start, line.text.length)
  const text = line.text.slice(start + 1, end)
  const place = (offset: number): Position => ({ line: line.number, column: offset + 1 })
  return { text, range: { start: place(start), end: place(end) } }
}

interface InstructionStart {
  readonly joined: Joined
  readonly comments: readonly Comment[]
  readonly escapeChar: Escape
  readonly report: Report
}

/** `undefined` for what is reported. */
function readInstruction(reader: LineReader, begin: InstructionStart): LogicalLine | undefined {
  const { joined, comments, escapeChar, report } = begin
  const { text, pieces, breaks, last, lastRead, hasBlankLine } = joined
  const trimmed = trimSpace(text)
  if (trimmed === '') {
    report(from(pieces, noInstruction(last)))
    return undefined
  }
  if (hasBlankLine) report(emptyContinuation(lastRead))
  const first = pieces[0]?.position.line ?? last.number
  const lines = { first, last: lastRead.number }
  const line = { text, pieces, end: endOf(last), lines, heredocs: [], comments, breaks }
  const range = rangeOf(line, 0, trimEnd(text, 0, text.length))
  const heads = heredocsOf(text, escapeChar)
  if (heads.length === 0) return { ...line, end: range.end }
  const heredocs: Heredoc[] = []
  for (const head of heads) {
    const number = line.end.line + 1
    const { heredoc, isClosed } = readBody(reader, head, number)
    line.lines.last = heredoc.range.end.line
    if (isClosed) line.end = heredoc.range.end
    else report(from(pieces, unterminatedHeredoc(head, range)))
    heredocs.push(heredoc)
  }
  return { ...line, heredocs }
}

interface Joined {
  readonly text: string
  readonly pieces: readonly Piece[]
  readonly last: PhysicalLine
  /** The last line that was looked at, which may be blank or a comment. */
  readonly lastRead: PhysicalLine
  /** True when there are blank lines among the continuations. */
  readonly hasBlankLine: boolean
  readonly breaks: readonly LineBreak[]
  /** Comments behind the last character: the file ends in a continuation. */
  readonly after: readonly Comment[]
}

function joinContinuations(reader: LineReader, first: PhysicalLine, escapeChar: Escape): Joined {
  const indent = skipWhile(first.text, 0, isSpace)
  const pieces: Piece[] = [{ offset: 0, position: { line: first.number, column: indent + 1 } }]
  let text = first.text.slice(indent)
  let cut = continuationAt(text, escapeChar)
  if (cut < 0) {
    const nothing = { lastRead: first, hasBlankLine: false, breaks: [], after: [] }
    return { text, pieces, last: first, ...nothing }
  }
  text = text.slice(0, cut)
  const breaks: LineBreak[] = []
  let comments: Comment[] = []
  let hasBlankLine = false
  let isBlankSomewhere = false
  let last = first
  let lastRead = first
  while (cut >= 0) {
    const next = reader.next()
    if (next === undefined) break
    lastRead = next
    const start = skipWhile(next.text, 0, isSpace)
    if (next.text[start] === '#') {
      comments.push(commentOf(next, start))
    } else if (start === next.text.length) {
      isBlankSomewhere = true
      hasBlankLine = true
    } else {
      cut = continuationAt(next.text, escapeChar)
      // An instruction does not begin with white space, wherever it begins.
      const from = text === '' ? start : 0
      pieces.push({ offset: text.length, position: { line: next.number, column: from + 1 } })
      breaks.push({ offset: text.length, comments, hasBlankLine })
      text += next.text.slice(from, cut < 0 ? undefined : cut)
      last = next
      comments = []
      hasBlankLine = false
    }
  }
  const end = trimEnd(text, 0, text.length)
  const late = breaks.filter(({ offset }) => offset >= end).flatMap((found) => found.comments)
  const inside = breaks.filter(({ offset }) => offset < end)
  const after = [...late, ...comments]
  return { text, pieces, last, lastRead, hasBlankLine: isBlankSomewhere, breaks: inside, after }
}

/** Where the escape that continues this line stands, or -1. A doubled escape continues nothing. */
export function continuationAt(text: string, escapeChar: Escape): number {
  let offset = text.length - 1
  while (offset >= 0 && (text[offset] === ' ' || text[offset] === '\t')) offset--
  if (offset < 0 || text[offset] !== escapeChar) return -1
  return text[offset - 1] === escapeChar ? -1 : offset
}

/** Reads the body that begins on the next line, which is `number`. */
function readBody(
  reader: LineReader,
  head: HeredocHead,
  number: number,
): { readonly heredoc: Heredoc; readonly isClosed: boolean } {
  const start = { line: number, column: 1 }
  const content: string[] = []
  let end: Position = start
  let isClosed = false
  while (!isClosed) {
    const line = reader.next()
    if (line === undefined) break
    const tabs = head.chomp ? skipWhile(line.text, 0, (code) => code === 9) : 0
    isClosed = line.text.length - tabs === head.name.length && line.text.endsWith(head.name)
    end = endOf(line)
    if (!isClosed) content.push(line.raw)
  }
  return { heredoc: { ...head, content: content.join(''), range: { start, end } }, isClosed }
}

/** A mistake in the instruction that begins with the first of `pieces`, which may be empty. */
function from(pieces: readonly Piece[], diagnostic: Diagnostic): Diagnostic {
  const line = pieces[0]?.position.line
  return line === diagnostic.range.start.line ? diagnostic : { ...diagnostic, line }
}

function unterminatedHeredoc(head: HeredocHead, range: SourceRange): Diagnostic {
  const end = `end the heredoc with a line that is just ${head.name}`
  const isPlain = /^[\w.-]+$/.test(head.name)
  const hint = isPlain ? end : `${end}, or put a blank behind its name, or quotes around the <<`
  return { severity: 'error', code: 'line', message: 'unterminated heredoc', range, hint }
}

/** Reported at the end of the instruction, as BuildKit does. */
function emptyContinuation(last: PhysicalLine): Diagnostic {
  return {
    severity: 'warning',
    code: 'NoEmptyContinuation',
    message: 'Empty continuation line',
    range: wholeLine(last),
    hint: 'remove the blank line, or begin it with #',
  }
}

/** Lines were continued, but there was nothing on them. */
function noInstruction(line: PhysicalLine): Diagnostic {
  return {
    severity: 'error',
    code: 'instruction',
    message: 'unknown instruction: ',
    range: wholeLine(line),
    hint: 'remove the line',
  }
}
