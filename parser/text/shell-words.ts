import { isSpace, skipWhile } from './characters.ts'

/** What ends the part that is being read: a double quote, a `${…}`, or the pattern in `${v/…/…}`. */
type Closer = '"' | '}' | '/'

/**
 * The words of a line, as BuildKit splits it to look for heredocs: quotes, backslashes and a `<<` in
 * front protect white space and stay, no variable has a value. A `${…}` with an operand takes what
 * stands before it in the word away (see `expandWords`). None when a quote or a `${` is never closed,
 * or when a `${…}` is of a form that BuildKit does not know.
 * Spec: BuildKit's shell lexer with SkipUnsetEnv
 */
export function shellWords(line: string): readonly string[] {
  const words: string[] = []
  const closers: Closer[] = []
  let start = 0
  let outermost = 0
  let offset = 0
  while (offset < line.length) {
    const char = line.charAt(offset)
    const closer = closers.at(-1)
    const depth = closers.length
    const isQuoted = closers[0] === '"'
    if (depth === 0) outermost = offset
    if (!isQuoted && isSpace(line.charCodeAt(offset))) {
      if (offset > start) words.push(line.slice(start, offset))
      start = ++offset
    } else if (char === closer) {
      closers.pop()
      if (closer === '/') closers.push('}')
      offset++
    } else if (char === '\\') offset += 2
    else if (closer === undefined && line.startsWith('<<', offset)) {
      offset = skipWhile(line, offset + 2, isHeredocBlank)
    } else if (char === '"') offset = open(closers, '"', offset + 1)
    else if (char === '$') {
      offset = afterDollar(line, offset + 1, closers)
      if (closers.length > depth && (depth === 0 || isQuoted)) start = outermost
    } else if (char === "'" && closer !== '"') offset = line.indexOf("'", offset + 1) + 1 || -1
    else offset++
    if (offset < 0) return []
  }
  if (start < line.length) words.push(line.slice(start))
  return closers.length === 0 ? words : []
}

/** What may stand between `<<` and the name of a heredoc. */
function isHeredocBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13
}

function open(closers: Closer[], closer: Closer, offset: number): number {
  closers.push(closer)
  return offset
}

/** Where to go on behind a dollar sign, inside of the braces if there are any; -1 for a mistake. */
function afterDollar(line: string, start: number, closers: Closer[]): number {
  if (line[start] !== '{') return nameEnd(line, start)
  if (/^[{}:]?$/.test(line.charAt(start + 1))) return -1
  const end = nameEnd(line, start + 1)
  switch (line[end]) {
    case '}':
      return end + 1
    case ':':
      return open(closers, '}', end + 2)
    case '+':
    case '-':
    case '?':
    case '#':
    case '%':
      return open(closers, '}', end + 1)
    case '/':
      return open(closers, '/', end + (line[end + 1] === '/' ? 2 : 1))
    default:
      return -1
  }
}

/** The end of a variable's name: digits, one special character, or letters, digits and `_`. */
function nameEnd(line: string, start: number): number {
  if (/^[@*#?\-$!]$/.test(line.charAt(start))) return start + 1
  const digits = matchEnd(/\p{Nd}+/uy, line, start)
  return digits > start ? digits : matchEnd(/[\p{L}\p{Nd}_]+/uy, line, start)
}

function matchEnd(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}

/**
 * A word without its quotes and escapes. In double quotes only a quote, a dollar sign and a backslash
 * are escaped. `undefined` when a quote is never closed.
 */
export function unquote(word: string): string | undefined {
  let value = ''
  let quote = ''
  for (let offset = 0; offset < word.length; offset++) {
    const char = word.charAt(offset)
    const isKept = quote === '"' && !/^["$\\]?$/.test(word.charAt(offset + 1))
    if (char === '\\' && quote !== "'" && !isKept) value += word.charAt(++offset)
    else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else value += char
  }
  return quote === '' ? value : undefined
}
