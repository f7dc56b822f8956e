/**
 * Scanners for the words of an instruction. Each reads every character once: Dockerfiles are
 * untrusted, and one line could stall a backtracking regular expression.
 */
import { isBlank, isByteSpace, isSpace, lineEnd, skipWhile, trimEnd } from './characters.ts'
import { parseArray } from './json-array.ts'

/** The escape character of a file. */
export type Escape = '\\' | '`'

/** A word found at `start`, up to and not including `end`. */
export interface Scanned {
  readonly end: number
  /** The word with its quotes and escapes removed. */
  readonly value: string
  /** True when the word ends in the middle of its last character. */
  readonly isTorn: boolean
}

/** The end of the run of characters that are not blank. */
export function scanWord(text: string, start: number): number {
  return skipWhile(text, start, (code) => code !== 10 && !isBlank(code))
}

/**
 * True when a flag, or the `--` that ends flags, starts here. BuildKit looks for flags byte by byte:
 * white space beyond ASCII between `before`, where the word in front ends, and `start` makes an
 * argument of it.
 */
export function isFlag(text: string, start: number, before: number): boolean {
  if (!text.startsWith('--', start)) return false
  let offset = start
  while (offset > before && isByteSpace(text.charCodeAt(offset - 1))) offset--
  return offset <= before || !isSpace(text.charCodeAt(offset - 1))
}

/**
 * A flag: `--name=value`, where quotes group and are removed and the escape works in both. As in
 * BuildKit every byte is a character of its own, and two of those that characters beyond ASCII are
 * made of are white space.
 */
export function scanFlag(text: string, start: number, escapeChar: Escape): Scanned {
  let value = ''
  let quote = ''
  let offset = start
  while (!isLineEnd(text, offset)) {
    const char = text.charAt(offset)
    const code = text.charCodeAt(offset)
    if (quote === '' && isByteSpace(code)) break
    offset++
    if (code >= 128) {
      const bytes = bytesAt(text, offset - 1)
      offset += bytes.length > 3 ? 1 : 0
      const end = quote === '' ? bytes.findIndex(isSpace) : -1
      value += String.fromCharCode(...bytes.slice(0, end < 0 ? undefined : end))
      if (end >= 0) return { end: offset, value, isTorn: end < bytes.length - 1 }
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else if (char !== escapeChar) value += char
    else if (text.charCodeAt(offset) < 128 && !isLineEnd(text, offset))
      value += text.charAt(offset++)
  }
  return { end: offset, value, isTorn: false }
}

/** The character at `offset` in UTF-8. */
function bytesAt(text: string, offset: number): readonly number[] {
  return [...Buffer.from(String.fromCodePoint(text.codePointAt(offset) ?? 0))]
}

/** The end of a word in which quotes and escapes protect white space and stay. */
export function scanQuotedWord(text: string, start: number, escapeChar: Escape): number {
  let quote = ''
  let offset = start
  for (; !isLineEnd(text, offset); offset++) {
    const char = text.charAt(offset)
    if (quote === '' && isSpace(text.charCodeAt(offset))) break
    if (char === quote) quote = ''
    else if (char !== escapeChar || quote === "'") {
      if (quote === '' && (char === '"' || char === "'")) quote = char
    } else if (!isLineEnd(text, offset + 1)) offset++
  }
  return offset
}

/**
 * A word from the end of a line without an escape that has nothing left to escape, unless that keeps
 * white space that is escaped or quoted from the end of the line.
 */
export function withoutLooseEscape(word: string, escapeChar: Escape): string {
  if (!word.endsWith(escapeChar)) return word
  let quote = ''
  for (let offset = 0; offset < word.length; offset++) {
    const char = word.charAt(offset)
    if (char === quote) quote = ''
    else if (char !== escapeChar || quote === "'") {
      if (quote === '' && (char === '"' || char === "'")) quote = char
    } else if (++offset === word.length) {
      return isSpace(word.charCodeAt(offset - 2)) ? word : word.slice(0, -1)
    }
  }
  return word
}

/** Looking ahead for the end of the line, from every word of it, would take quadratic time. */
function isLineEnd(text: string, offset: number): boolean {
  return offset >= text.length || text.charCodeAt(offset) === 10
}

/** The JSON array that is the rest of the line, or `undefined` when it is not exactly that. */
export function parseJsonArray(text: string, start: number): readonly unknown[] | undefined {
  if (text.charAt(start) !== '[') return undefined
  return parseArray(text.slice(start, trimEnd(text, start, lineEnd(text, start))))
}

/** Where the strings of a valid JSON array of strings stand, quotes included. */
export function stringSpans(json: string): readonly (readonly [number, number])[] {
  const spans: [number, number][] = []
  for (let start = json.indexOf('"'); start >= 0; start = json.indexOf('"', start)) {
    let end = start + 1
    while (end < json.length && json[end] !== '"') end += json[end] === '\\' ? 2 : 1
    spans.push([start, end + 1])
    start = end + 1
  }
  return spans
}
