/** True for what separates words of an instruction: tab, vertical tab, form feed, return, space. */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 11 || code === 12 || code === 13
}

/** True for white space as Go's `unicode.IsSpace` sees it. */
export function isSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13)
  if (code === 0x85 || code === 0xa0 || code === 0x1680) return true
  if (code < 0x2000) return false
  return (
    code <= 0x200a ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** White space to what looks at a text byte by byte, as long as the bytes are characters. */
export function isByteSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}

/** White space as patterns of Go see it. */
export function isPatternSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 12 || code === 13
}

/** The first offset from `start` whose character fails `test`; the length of `text` if none does. */
export function skipWhile(text: string, start: number, test: (code: number) => boolean): number {
  let offset = start
  while (offset < text.length && test(text.charCodeAt(offset))) offset++
  return offset
}

/** The offset after the last character before `end` that is not white space; at least `start`. */
export function trimEnd(text: string, start: number, end: number): number {
  let offset = end
  while (offset > start && isSpace(text.charCodeAt(offset - 1))) offset--
  return offset
}

/** `text` without white space around it, as Go's `strings.TrimSpace` does it. */
export function trimSpace(text: string): string {
  const start = skipWhile(text, 0, isSpace)
  return text.slice(start, trimEnd(text, start, text.length))
}

/** The offset of the end of the line that `start` is in. */
export function lineEnd(text: string, start: number): number {
  const offset = text.indexOf('\n', start)
  return offset < 0 ? text.length : offset
}

/** `text` with control characters (but tabs) made harmless: a file must not drive the terminal. */
export function printable(text: string): string {
  let shown = ''
  for (const char of text) shown += isControl(char.charCodeAt(0)) ? '\ufffd' : char
  return shown
}

function isControl(code: number): boolean {
  return code !== 9 && (code < 32 || (code >= 127 && code < 160))
}
