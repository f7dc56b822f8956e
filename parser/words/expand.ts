import { TsbuildError } from '#core'
import { isSpace } from '../text/characters.ts'
import { type ExpandOptions, Expansion, type Piece } from './expansion.ts'
import { WordGrammar } from './word-grammar.ts'
import { createWordLexer, lexWord, type WordLexer } from './word-lexer.ts'

/** Characters of a word that an error message shows. */
const MAX_SHOWN = 1000

/** Expands variables and removes quotes. @throws {TsbuildError} DOCKERFILE_INVALID */
export function expandWord(raw: string, options: ExpandOptions): string {
  let word = ''
  for (const { text } of piecesOf(raw, options)) word += text
  return word
}

/**
 * Like `expandWord`, then split at unquoted white space. As in BuildKit, which reads operands into the
 * word that it is at, a `${…}` with an operand takes what stands before it in the word away: `8${x-1}`
 * is `1`. @throws {TsbuildError} DOCKERFILE_INVALID
 */
export function expandWords(raw: string, options: ExpandOptions): string[] {
  const words: string[] = []
  let word = ''
  for (const { text, splits, hasOperand } of piecesOf(raw, options)) {
    if (hasOperand) word = ''
    if (!splits) {
      word += text
      continue
    }
    let start = 0
    for (let offset = 0; offset < text.length; offset++) {
      if (!isSpace(text.charCodeAt(offset))) continue
      word += text.slice(start, offset)
      start = offset + 1
      if (word !== '') words.push(word)
      word = ''
    }
    word += text.slice(start)
  }
  return word === '' ? words : [...words, word]
}

/** Most words have nothing to expand; they need no grammar. */
function isLiteral(raw: string, { escape: mark = '\\', quotes }: ExpandOptions): boolean {
  if (raw.includes('$') || raw.includes(mark)) return false
  return quotes === 'ignore' || !(raw.includes('"') || raw.includes("'"))
}

let machine: { readonly lexer: WordLexer; readonly grammar: WordGrammar } | undefined

function piecesOf(written: string, options: ExpandOptions): readonly Piece[] {
  // BuildKit's reader of words takes it for a byte order mark.
  const raw = written.startsWith('\ufeff') ? written.slice(1) : written
  if (isLiteral(raw, options)) return [{ text: raw, splits: true, hasOperand: false }]
  machine ??= { lexer: createWordLexer('use'), grammar: new WordGrammar('use') }
  const { escape: mark = '\\', quotes = 'remove' } = options
  const tokens = lexWord(machine.lexer, raw, { escape: mark, quotes })
  try {
    return new Expansion(machine.grammar, options, raw.length).pieces(tokens)
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof RangeError)) throw cause
    const shown = raw.length > MAX_SHOWN ? `${raw.slice(0, MAX_SHOWN)}…` : raw
    throw new TsbuildError(`failed to process ${JSON.stringify(shown)}: ${cause.message}`, {
      code: 'DOCKERFILE_INVALID',
      cause,
      hint: hintFor(cause.message, mark),
    })
  }
}

/** A hint about a word that cannot be expanded; none for a message from the file itself. */
function hintFor(message: string, mark: string): string | undefined {
  if (message.startsWith("syntax error: missing '/'")) {
    return `write \${NAME/PATTERN/REPLACEMENT}, or \${NAME//PATTERN/REPLACEMENT} for all matches`
  }
  if (/^syntax error: missing|bad substitution$/.test(message)) {
    return `write \${NAME}, or ${mark}$ for a dollar sign that stands for itself`
  }
  if (message.startsWith('unsupported modifier')) {
    return 'close the braces behind the name, or write - + ? with or without a colon, # ## % %% / or // there'
  }
  if (message.startsWith('invalid pattern')) {
    return 'in a pattern a backslash stands before * ? } / or another backslash'
  }
  if (message.startsWith('unexpected end of statement')) {
    return `close the quote, or put ${mark} in front of it`
  }
  return undefined
}
