/**
 * Text for pictures and terminals. Names and instructions are untrusted: they must not move a
 * cursor, reorder text, or end the element that they are part of.
 */

const UNSHOWABLE =
  /[\p{Cc}\p{Cs}\ufffe\uffff\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]/gu
const ASCII = /^[ -~]*$/

/** One line: white space in runs becomes one space, anything that cannot be shown U+FFFD. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim().replace(UNSHOWABLE, '\ufffd')
}

/** True when every character is as wide as any other in a monospace font. */
export function isAscii(text: string): boolean {
  return ASCII.test(text)
}

/** Columns of a monospace font that `text` takes at most: two for all but the alphabets. */
export function columnsOf(text: string): number {
  if (isAscii(text)) return text.length
  let columns = 0
  for (const char of text) columns += columnsOfChar(char)
  return columns
}

/** `text`, cut to at most `columns`; a cut is marked by an ellipsis. */
export function shorten(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let shown = ''
  let used = 1
  for (const char of text) {
    used += columnsOfChar(char)
    if (used > columns) break
    shown += char
  }
  return `${shown.trimEnd()}…`
}

function columnsOfChar(char: string): number {
  const code = char.codePointAt(0) ?? 0
  return code < 0x1100 || (code >= 0x2010 && code < 0x2200) ? 1 : 2
}
