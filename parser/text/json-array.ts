/**
 * Whether a text is JSON, found out without an exception: these are slow, and much that begins with a
 * bracket is a test of the shell.
 */

/** What may come next. */
type Expected = 'value' | 'value or end' | 'comma or end' | 'key' | 'key or end' | 'colon'

const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

/**
 * The array that is `text`, or `undefined` when it is none. As in Go numbers have to fit, and half of a
 * surrogate pair stands for U+FFFD.
 */
export function parseArray(text: string): readonly unknown[] | undefined {
  if (!text.startsWith('[') || !text.endsWith(']') || !isJson(text)) return undefined
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value) || value.some(isOverflow)) return undefined
  return value.map((element: unknown) => {
    return typeof element === 'string' ? element.toWellFormed() : element
  })
}

function isOverflow(element: unknown): boolean {
  return element === Number.POSITIVE_INFINITY || element === Number.NEGATIVE_INFINITY
}

function isJson(text: string): boolean {
  const closers: string[] = []
  let expected: Expected = 'value'
  let offset = 0
  while (offset < text.length) {
    const char = text.charAt(offset)
    if (char === ' ' || char === '\t' || char === '\n' || char === '\r') {
      offset++
      continue
    }
    if (closers.length === 0 && expected === 'comma or end') return false
    const next: Expected | undefined = step(char, expected, closers)
    if (next === undefined) return false
    offset = isPunctuation(char) ? offset + 1 : tokenEnd(text, offset)
    if (offset < 0) return false
    expected = next
  }
  return closers.length === 0 && expected === 'comma or end'
}

function isPunctuation(char: string): boolean {
  return /^[[\]{},:]$/.test(char)
}

/** What may follow the token that begins with `char`; `undefined` when that may not stand here. */
function step(char: string, expected: Expected, closers: string[]): Expected | undefined {
  const isValue = expected === 'value' || expected === 'value or end'
  const isKey = expected === 'key' || expected === 'key or end'
  switch (char) {
    case '[':
    case '{':
      if (!isValue) return undefined
      closers.push(char === '[' ? ']' : '}')
      return char === '[' ? 'value or end' : 'key or end'
    case ']':
    case '}':
      return expected.endsWith('or end') && closers.pop() === char ? 'comma or end' : undefined
    case ',':
      if (expected !== 'comma or end') return undefined
      return closers.at(-1) === ']' ? 'value' : 'key'
    case ':':
      return expected === 'colon' ? 'value' : undefined
    case '"':
      if (isKey) return 'colon'
      return isValue ? 'comma or end' : undefined
    default:
      return isValue ? 'comma or end' : undefined
  }
}

/** The end of a string, a number or a name, or -1. */
function tokenEnd(text: string, start: number): number {
  if (text[start] !== '"') return matchEnd(PLAIN, text, start)
  let offset = start + 1
  while (offset < text.length) {
    const char = text.charCodeAt(offset)
    if (char === 34) return offset + 1
    if (char < 32) return -1
    offset = char === 92 ? matchEnd(ESCAPE, text, offset) : offset + 1
    if (offset < 0) return -1
  }
  return -1
}

function matchEnd(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : -1
}
