import type { CstElement, CstNode, IToken } from 'chevrotain'
import { TsbuildError } from '#core'
import { isSpace } from './characters.ts'
import { type Children, childrenOf, tokenOf } from './cst.ts'
import { Budget } from './glob.ts'
import type { Escape } from './scan.ts'
import { parseShellPattern, replacePattern, trimPattern } from './shell-pattern.ts'
import { WordGrammar } from './word-grammar.ts'
import { createWordLexer, lexWord, type Quotes, type WordLexer } from './word-lexer.ts'

/** Characters of one result, and of everything that is computed on the way to it. */
const MAX_RESULT = 1024 * 1024
const MAX_WORK = 16 * MAX_RESULT
/** Character comparisons of patterns in one word. */
const MAX_PATTERN_STEPS = 2_000_000
/** Substitutions and double quotes within each other. */
const MAX_DEPTH = 100

export interface ExpandOptions {
  /** The value of a variable, `undefined` when it is unset. */
  readonly lookup: (name: string) => string | undefined
  /** A backslash unless given. */
  readonly escape?: Escape | undefined
  /** `keep` leaves quotes as they are: for heredoc bodies. `remove` unless given. */
  readonly quotes?: Quotes | undefined
  /** Told of every variable that was used without a value and without a fallback. */
  readonly onUndefined?: ((name: string) => void) | undefined
}

/** Text of a word; white space in it separates words, or does not. */
interface Piece {
  readonly text: string
  readonly splits: boolean
}

/** Expands variables and removes quotes. @throws {TsbuildError} DOCKERFILE_INVALID */
export function expandWord(raw: string, options: ExpandOptions): string {
  if (isLiteral(raw, options)) return raw
  return piecesOf(raw, options)
    .map(({ text }) => text)
    .join('')
}

/** Like `expandWord`, then split at unquoted white space. @throws {TsbuildError} DOCKERFILE_INVALID */
export function expandWords(raw: string, options: ExpandOptions): string[] {
  const pieces = isLiteral(raw, options) ? [{ text: raw, splits: true }] : piecesOf(raw, options)
  const words: string[] = []
  let word = ''
  for (const { text, splits } of pieces) {
    if (!splits) {
      word += text
      continue
    }
    for (const char of text) {
      if (!isSpace(char.charCodeAt(0))) word += char
      else if (word !== '') {
        words.push(word)
        word = ''
      }
    }
  }
  return word === '' ? words : [...words, word]
}

/** Most words have nothing to expand; they need no grammar. */
function isLiteral(raw: string, options: ExpandOptions): boolean {
  const isQuoted = raw.includes('"') || raw.includes("'")
  return !raw.includes('$') && !raw.includes(options.escape ?? '\\') && !isQuoted
}

let machine: { readonly lexer: WordLexer; readonly grammar: WordGrammar } | undefined

function piecesOf(raw: string, options: ExpandOptions): readonly Piece[] {
  machine ??= { lexer: createWordLexer('use'), grammar: new WordGrammar('use') }
  const { escape: escapeChar = '\\', quotes = 'remove' } = options
  const tokens = lexWord(machine.lexer, raw, { escape: escapeChar, quotes })
  const expansion = new Expansion(options)
  try {
    checkDepth(tokens)
    machine.grammar.input = tokens
    const { children } = machine.grammar.word()
    if (machine.grammar.errors.length > 0) throw new Error('word grammar does not take the word')
    return expansion.pieces(childrenOf(children, 'parts'))
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof RangeError)) throw cause
    const shown = raw.length > 200 ? `${raw.slice(0, 200)}…` : raw
    throw new TsbuildError(`failed to process ${JSON.stringify(shown)}: ${cause.message}`, {
      code: 'DOCKERFILE_INVALID',
      cause,
    })
  }
}

function checkDepth(tokens: readonly IToken[]): void {
  let depth = 0
  for (const { tokenType } of tokens) {
    const { name } = tokenType
    if (name === 'SubstitutionStart' || name === 'QuoteStart') depth++
    else if (name === 'SubstitutionEnd' || name === 'QuoteEnd') depth--
    if (depth > MAX_DEPTH) throw new SyntaxError(`more than ${MAX_DEPTH} levels of nesting`)
  }
}

/** Whether escapes are removed or, for patterns, kept for what reads the result next. */
type Escapes = 'remove' | 'keep'

/** One word on its way to its value. Mistakes are `SyntaxError`s, exceeded limits `RangeError`s. */
class Expansion {
  readonly #options: ExpandOptions
  readonly #patternBudget = new Budget(MAX_PATTERN_STEPS)
  readonly #undefined: string[] = []
  #work = 0

  constructor(options: ExpandOptions) {
    this.#options = options
  }

  pieces(children: Children): readonly Piece[] {
    let size = 0
    const pieces = partsOf(children).map((part) => {
      const text = this.#part(part, 'remove')
      size += text.length
      if (size > MAX_RESULT) throw new RangeError('result is too long')
      return { text, splits: !isProtected(part) }
    })
    for (const name of this.#undefined) this.#options.onUndefined?.(name)
    return pieces
  }

  #text(children: Children, escapes: Escapes): string {
    let text = ''
    for (const part of partsOf(children)) {
      text += this.#part(part, escapes)
      if (text.length > MAX_RESULT) throw new RangeError('result is too long')
    }
    this.#work += text.length
    if (this.#work > MAX_WORK) throw new RangeError('expansion takes too long')
    return text
  }

  #part(part: CstElement, escapes: Escapes): string {
    if ('children' in part) {
      if (part.name === 'substitution') return this.#substitution(part.children)
      return this.#quoted(part, escapes)
    }
    const { image } = part
    switch (part.tokenType.name) {
      case 'Variable':
        return this.#value(image.slice(1)) ?? ''
      case 'Escaped':
        return escapes === 'keep' ? image : image.slice(1)
      case 'QuotedEscape':
        return quotedEscape(image, escapes)
      case 'SingleQuoted':
        if (image.length > 1 && image.endsWith("'")) return image.slice(1, -1)
        throw new SyntaxError('unexpected end of statement while looking for matching single-quote')
      default:
        return image
    }
  }

  #quoted(node: CstNode, escapes: Escapes): string {
    const text = this.#text(node.children, escapes)
    if (tokenOf(node.children, 'QuoteEnd') !== undefined) return text
    throw new SyntaxError('unexpected end of statement while looking for matching double-quote')
  }

  #substitution(children: Children): string {
    const name = tokenOf(children, 'Name')?.image ?? ''
    const modifier = tokenOf(children, 'Modifier')?.image
    const isReplace = tokenOf(children, 'Replace') !== undefined
    const isClosed = tokenOf(children, 'SubstitutionEnd') !== undefined
    const isPlain = modifier === undefined && !isReplace
    const isBad = modifier?.startsWith('{') || modifier?.startsWith(':') || (isPlain && isClosed)
    if (name === '' && isBad) throw new SyntaxError('syntax error: bad substitution')
    if (isPlain) {
      if (!isClosed) throw missingBrace()
      return this.#value(name) ?? ''
    }
    if (modifier !== undefined) return this.#modified(name, modifier, children)
    return this.#replaced(name, children)
  }

  #modified(name: string, modifier: string, children: Children): string {
    const operation = modifier.replace(':', '')
    const isPattern = operation === '#' || operation === '%'
    const isKnown = isPattern || operation === '-' || operation === '+' || operation === '?'
    const isColon = modifier.startsWith(':')
    if ((!isColon && !isKnown) || (isColon && isPattern)) throw unsupported(modifier)
    if (tokenOf(children, 'SubstitutionEnd') === undefined) throw missingBrace()
    // The operand is expanded, and its mistakes count, even where it is not used.
    const seen = this.#undefined.length
    const operand = this.#text(childrenOf(children, 'operand'), isPattern ? 'keep' : 'remove')
    if (!isKnown) throw unsupported(modifier)
    if (isPattern) return this.#trimmed(name, operation, operand)
    const value = this.#options.lookup(name)
    const isMissing = value === undefined || (isColon && value === '')
    if (isMissing === (operation === '+')) this.#undefined.length = seen
    if (operation === '+') return isMissing ? '' : operand
    if (!isMissing) return value
    if (operation === '-') return operand
    const reason = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty'
    throw new SyntaxError(`${name}: ${operand || reason}`)
  }

  #trimmed(name: string, operation: '#' | '%', operand: string): string {
    const isDoubled = operand.startsWith(operation)
    const pattern = isDoubled ? operand.slice(1) : operand
    return trimPattern(this.#value(name) ?? '', stepsOf(pattern), {
      side: operation === '#' ? 'start' : 'end',
      extent: isDoubled ? 'longest' : 'shortest',
      budget: this.#patternBudget,
    })
  }

  #replaced(name: string, children: Children): string {
    const pattern = this.#text(childrenOf(children, 'pattern'), 'keep')
    if (tokenOf(children, 'PatternEnd') === undefined) {
      throw new SyntaxError(`syntax error: missing '/' in $\{}`)
    }
    if (tokenOf(children, 'SubstitutionEnd') === undefined) throw missingBrace()
    const text = this.#text(childrenOf(children, 'operand'), 'keep')
    return replacePattern(this.#value(name) ?? '', stepsOf(pattern), {
      text,
      times: tokenOf(children, 'Replace')?.image === '//' ? 'all' : 'first',
      budget: this.#patternBudget,
      limit: MAX_RESULT,
    })
  }

  #value(name: string): string | undefined {
    const value = this.#options.lookup(name)
    if (value === undefined) this.#undefined.push(name)
    return value
  }
}

function partsOf(children: Children): readonly CstElement[] {
  return children.part ?? []
}

/** Quoted and escaped text stays in one word. */
function isProtected(part: CstElement): boolean {
  if ('children' in part) return part.name === 'quoted'
  return part.tokenType.name === 'SingleQuoted' || part.tokenType.name === 'Escaped'
}

/** An escape that escapes nothing stays, and in a pattern it has to be escaped itself. */
function quotedEscape(image: string, escapes: Escapes): string {
  if (image.length === 1) return escapes === 'keep' ? image + image : image
  return escapes === 'keep' ? image : image.slice(1)
}

function stepsOf(pattern: string): ReturnType<typeof parseShellPattern> {
  try {
    return parseShellPattern(pattern)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new SyntaxError(`invalid pattern (${pattern}) in substitution: ${cause.message}`, {
      cause,
    })
  }
}

function missingBrace(): SyntaxError {
  return new SyntaxError("syntax error: missing '}'")
}

function unsupported(modifier: string): SyntaxError {
  return new SyntaxError(`unsupported modifier (${modifier}) in substitution`)
}
