/**
 * Tokens of a word with variables and quotes. The text begins with two characters of settings (the
 * escape character; how quotes are treated), so that the scanners are pure functions of it. A token
 * matches at every offset, so lexing cannot fail.
 */
import type { CustomPatternMatcherReturn, IToken, TokenType } from 'chevrotain'
import { createToken, Lexer } from '../grammar/chevrotain.ts'
import type { Escape } from '../text/scan.ts'

/**
 * How quotes are treated: `remove` is the rule; with `show` they protect their content and stay;
 * with `ignore` they are ordinary characters.
 */
export type Quotes = 'remove' | 'show' | 'ignore'

type Scanner = (text: string, start: number) => number

interface TokenOptions {
  readonly push_mode?: string
  readonly pop_mode?: boolean
  readonly categories?: TokenType[]
}

function token(name: string, scan: Scanner, options: TokenOptions = {}): TokenType {
  const exec = (text: string, start: number): CustomPatternMatcherReturn | null => {
    const end = scan(text, start)
    return end > start ? [text.slice(start, end)] : null
  }
  return createToken({ name, pattern: { exec }, line_breaks: false, ...options })
}

/** A token that is just `text`. */
function symbol(name: string, text: string, options: TokenOptions = {}): TokenType {
  return token(
    name,
    (all, start) => (all.startsWith(text, start) ? start + text.length : -1),
    options,
  )
}

function hasQuotes(text: string): boolean {
  return text.charAt(1) !== 'i'
}

/** What is one token and needs no rule of its own. */
export const Part: TokenType = createToken({ name: 'Part', pattern: Lexer.NA })
const part: TokenOptions = { categories: [Part] }

/** Two-character settings in front. */
export const Settings: TokenType = token('Settings', (text) => Math.min(2, text.length), {
  push_mode: 'word',
})

/** Text up to the next special character; in an operand, also up to its end. */
function plain(name: string, end: string): TokenType {
  return token(
    name,
    (text, start) => {
      const mark = text.charAt(0)
      const quotes = hasQuotes(text)
      for (let offset = start; offset < text.length; offset++) {
        const char = text.charAt(offset)
        if (char === '$' || char === mark || char === end) return offset
        if (quotes && (char === '"' || char === "'")) return offset
      }
      return text.length
    },
    part,
  )
}

const Plain = plain('Plain', '$')
const OperandPlain = plain('OperandPlain', '}')
const PatternPlain = plain('PatternPlain', '/')

/** The escape and the character behind it; alone at the end of the word. */
export const Escaped: TokenType = token(
  'Escaped',
  (text, start) =>
    text.charAt(start) === text.charAt(0)
      ? Math.min(start + 1 + codeSize(text, start + 1), text.length)
      : -1,
  part,
)

/** `'…'`; without the closing quote when there is none. */
export const SingleQuoted: TokenType = token(
  'SingleQuoted',
  (text, start) => {
    if (text.charAt(start) !== "'" || !hasQuotes(text)) return -1
    const end = text.indexOf("'", start + 1)
    return end < 0 ? text.length : end + 1
  },
  part,
)

/** A double quote that begins a quoted part. */
export const QuoteStart: TokenType = token(
  'QuoteStart',
  (text, start) => (text.charAt(start) === '"' && hasQuotes(text) ? start + 1 : -1),
  { push_mode: 'quoted' },
)

/** A double quote that ends a quoted part. */
export const QuoteEnd: TokenType = symbol('QuoteEnd', '"', { pop_mode: true })

/** Inside double quotes the escape escapes only a double quote, a dollar sign and itself. */
export const QuotedEscape: TokenType = token(
  'QuotedEscape',
  (text, start) => {
    const mark = text.charAt(0)
    const next = text.charAt(start + 1)
    if (text.charAt(start) !== mark) return -1
    return next === '"' || next === '$' || next === mark ? start + 2 : start + 1
  },
  part,
)

const QuotedPlain = token(
  'QuotedPlain',
  (text, start) => {
    const mark = text.charAt(0)
    for (let offset = start; offset < text.length; offset++) {
      const char = text.charAt(offset)
      if (char === '"' || char === '$' || char === mark) return offset
    }
    return text.length
  },
  part,
)

/** `$name`, and `${name}`, which is by far the most frequent substitution. */
export const Variable: TokenType = token(
  'Variable',
  (text, start) => {
    if (text.charAt(start) !== '$') return -1
    const isBraced = text.charAt(start + 1) === '{'
    const first = start + (isBraced ? 2 : 1)
    const end = nameEnd(text, first)
    if (end === first) return -1
    if (!isBraced) return end
    return text.charAt(end) === '}' ? end + 1 : -1
  },
  part,
)

/** `${` before a name. */
export const SubstitutionStart: TokenType = symbol('SubstitutionStart', '${', {
  push_mode: 'name',
})

/** A dollar sign that stands for itself. */
const Dollar = symbol('Dollar', '$', part)

/** The name behind `${`. */
export const Name: TokenType = token('Name', nameEnd, {
  pop_mode: true,
  push_mode: 'modifier',
})

/** `}` behind a name or an operand. */
export const SubstitutionEnd: TokenType = symbol('SubstitutionEnd', '}', { pop_mode: true })

/** `/` or `//` behind the name: a pattern and a replacement follow. */
export const Replace: TokenType = token(
  'Replace',
  (text, start) =>
    text.charAt(start) !== '/' ? -1 : text.charAt(start + 1) === '/' ? start + 2 : start + 1,
  { pop_mode: true, push_mode: 'pattern' },
)

/** What stands behind the name, a colon and one more character or any other character. */
export const Modifier: TokenType = token(
  'Modifier',
  (text, start) => {
    const next = text.charAt(start) === ':' ? start + 1 : start
    return Math.min(next + codeSize(text, next), text.length)
  },
  { pop_mode: true, push_mode: 'operand' },
)

/** The `/` between a pattern and its replacement. */
export const PatternEnd: TokenType = symbol('PatternEnd', '/', {
  pop_mode: true,
  push_mode: 'operand',
})

/** The value of a quoted part; only the expansion creates this token. */
export const QuotedText: TokenType = createToken({ name: 'QuotedText', pattern: Lexer.NA, ...part })

/** The value of a substitution; only the expansion creates this token. */
export const SubstitutedText: TokenType = createToken({
  name: 'SubstitutedText',
  pattern: Lexer.NA,
  ...part,
})

const PARTS: readonly TokenType[] = [
  ...[Variable, SubstitutionStart, Dollar, Escaped, SingleQuoted, QuoteStart],
]

/** The lexer's modes: which tokens are possible, in the order in which they are tried. */
const MODES: Record<string, TokenType[]> = {
  start: [Settings],
  word: [Plain, ...PARTS],
  quoted: [QuoteEnd, Variable, SubstitutionStart, Dollar, QuotedEscape, QuotedPlain],
  name: [Name, SubstitutionEnd, Replace, Modifier],
  modifier: [SubstitutionEnd, Replace, Modifier],
  operand: [SubstitutionEnd, OperandPlain, ...PARTS],
  pattern: [PatternEnd, PatternPlain, ...PARTS],
}

/** Every token of the grammar. */
export const WORD_TOKENS: readonly TokenType[] = [
  ...new Set(Object.values(MODES).flat()),
  ...[Part, QuotedText, SubstitutedText],
]

/** A lexer for words. */
export type WordLexer = InstanceType<typeof Lexer>

/** A fresh lexer; Chevrotain checks its definition only when it is made for a test. */
export function createWordLexer(purpose: 'use' | 'test'): WordLexer {
  const definition = { modes: MODES, defaultMode: 'start' }
  const skipValidations = purpose === 'use'
  return new Lexer(definition, { positionTracking: 'onlyOffset', safeMode: true, skipValidations })
}

/** The tokens of a word. */
export function lexWord(
  lexer: WordLexer,
  raw: string,
  settings: { readonly escape: Escape; readonly quotes: Quotes },
): IToken[] {
  const { escape: mark, quotes } = settings
  const { tokens, errors } = lexer.tokenize(`${mark}${quotes.charAt(0)}${raw}`)
  if (errors.length > 0) throw new Error(`word lexer: ${errors[0]?.message}`)
  return tokens
}

/** Letters, digits and `_`, not beginning with a digit; only digits; or one special character. */
function nameEnd(text: string, start: number): number {
  const first = text.charAt(start)
  if (first !== '' && '@*#?-$!'.includes(first)) return start + 1
  const isPart = isDigit(text.codePointAt(start) ?? 0) ? isDigit : isNamePart
  let offset = start
  for (let code = text.codePointAt(offset); code !== undefined && isPart(code); ) {
    offset += code > 0xffff ? 2 : 1
    code = text.codePointAt(offset)
  }
  return offset
}

function codeSize(text: string, offset: number): number {
  return (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
}

function isDigit(code: number): boolean {
  if (code < 128) return code >= 48 && code <= 57
  return /^\p{Nd}$/u.test(String.fromCodePoint(code))
}

function isNamePart(code: number): boolean {
  if (code >= 128) return /^[\p{L}\p{Nd}]$/u.test(String.fromCodePoint(code))
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || isDigit(code)
}
