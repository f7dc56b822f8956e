/**
 * Evaluates the tokens of a word in one pass from left to right. A nested part is parsed by the
 * grammar of its level when it ends, and becomes a token of the level around it. So mistakes are
 * found in the same order as in BuildKit, and nesting takes no stack.
 */
import type { IToken, TokenType } from 'chevrotain'
import { type Children, tokenOf, tokensOf } from '../grammar/cst.ts'
import type { Escape } from '../text/scan.ts'
import { Budget } from './shell-pattern.ts'
import * as substitution from './substitution.ts'
import type { WordGrammar } from './word-grammar.ts'
import * as t from './word-lexer.ts'

/** Characters that a result may have more than the word, so that a heredoc's body always fits. */
const MAX_GROWTH = 1024 * 1024
/** How many times the longest result may be concatenated during one expansion. */
const MAX_ROUNDS = 16
/** Character comparisons of the patterns of one word. */
const MAX_PATTERN_STEPS = 2_000_000

/** How a word is expanded. */
export interface ExpandOptions {
  /** The value of a variable, `undefined` when it is unset. */
  readonly lookup: (name: string) => string | undefined
  /** A backslash unless given. */
  readonly escape?: Escape | undefined
  /** `remove` unless given; heredoc bodies want `ignore`. */
  readonly quotes?: t.Quotes | undefined
  /** Whether unset variables become nothing, which is the rule, or stay as they are written. */
  readonly unset?: 'empty' | 'keep' | undefined
  /** Called for every variable that is used without a value and without a fallback. */
  readonly onUndefined?: ((name: string) => void) | undefined
}

/** Text of a word; white space in it separates words, or does not. */
export interface Piece {
  readonly text: string
  readonly splits: boolean
  /** True when an operand was read for it. */
  readonly hasOperand: boolean
}

/** Whether escapes are removed or, for patterns, kept for what reads the result next. */
type Escapes = 'remove' | 'keep'

/** The word, or a quoted part or a substitution of it that has begun. */
interface Level {
  readonly rule: 'word' | 'quoted' | 'substitution'
  readonly tokens: IToken[]
  /** How many undefined variables were known when it began. */
  readonly undefinedBefore: number
  escapes: Escapes
}

/** The evaluation of one word. Mistakes are `SyntaxError`s, exceeded limits `RangeError`s. */
export class Expansion {
  readonly #grammar: WordGrammar
  readonly #options: ExpandOptions
  readonly #limits: substitution.Limits
  readonly #undefined: string[] = []
  /** The open levels around the current one. */
  readonly #outer: Level[] = []
  #level: Level = { rule: 'word', tokens: [], undefinedBefore: 0, escapes: 'remove' }
  /** The parts of the word that are, or hold, a substitution with an operand. */
  readonly #operated = new Set<IToken>()
  #hasOperand = false
  #work = 0

  /** @param length characters of the word */
  constructor(grammar: WordGrammar, options: ExpandOptions, length: number) {
    this.#grammar = grammar
    this.#options = options
    this.#limits = { budget: new Budget(MAX_PATTERN_STEPS), length: MAX_GROWTH + length }
  }

  /** Evaluates the tokens of a whole word. Can be called once. */
  pieces(tokens: readonly IToken[]): readonly Piece[] {
    let left = tokens.length
    try {
      for (const token of tokens) {
        left--
        this.#take(token)
      }
    } catch (cause) {
      const isAtEnd = left === 0 && !(cause instanceof BadSubstitution)
      throw isAtEnd && cause instanceof SyntaxError ? this.#atEnd(cause) : cause
    }
    if (this.#outer.length > 0) throw this.#atEnd(unclosedQuoteError('double'))
    let length = 0
    const pieces = tokensOf(this.#parse(this.#level), 'part').map((part) => {
      const text = this.#textOf(part, 'remove')
      length += text.length
      this.#checkLength(length)
      const hasOperand = this.#operated.has(part)
      return { text, splits: !isProtected(part.tokenType), hasOperand }
    })
    for (const name of this.#undefined) this.#options.onUndefined?.(name)
    return pieces
  }

  #take(token: IToken): void {
    switch (token.tokenType) {
      case t.QuoteStart:
        this.#begin('quoted', token)
        break
      case t.SubstitutionStart:
        this.#begin('substitution', token)
        break
      case t.QuoteEnd:
        this.#end(token, t.QuotedText)
        break
      case t.SubstitutionEnd:
        this.#end(token, t.SubstitutedText)
        break
      case t.Variable:
        this.#put(this.#variable(token.image), t.SubstitutedText)
        break
      default:
        this.#check(token)
        this.#level.tokens.push(token)
    }
  }

  #check({ tokenType, image }: IToken): void {
    if (tokenType === t.SingleQuoted && (image.length < 2 || !image.endsWith("'"))) {
      throw unclosedQuoteError('single')
    }
    if (tokenType === t.Modifier) this.#checkModifier(image)
    if (tokenType === t.Replace || (tokenType === t.Modifier && substitution.isTrim(image))) {
      this.#level.escapes = 'keep'
    }
  }

  #begin(rule: 'quoted' | 'substitution', token: IToken): void {
    const escapes = rule === 'quoted' ? this.#level.escapes : 'remove'
    this.#outer.push(this.#level)
    this.#level = { rule, tokens: [token], undefinedBefore: this.#undefined.length, escapes }
  }

  /** Leaves the innermost level, which is a single token from here on. */
  #end(token: IToken, tokenType: TokenType): void {
    const level = this.#leave()
    level.tokens.push(token)
    const isQuoted = level.rule === 'quoted'
    if (!isQuoted) this.#hasOperand = true
    this.#put(isQuoted ? this.#quoted(level) : this.#substitution(level), tokenType)
  }

  /** Adds text in its final form. */
  #put(image: string, tokenType: TokenType): void {
    const { tokenTypeIdx = 0 } = tokenType
    const token = { image, startOffset: 0, tokenType, tokenTypeIdx }
    this.#level.tokens.push(token)
    if (this.#outer.length > 0) return
    if (this.#hasOperand) this.#operated.add(token)
    this.#hasOperand = false
  }

  #leave(): Level {
    const level = this.#level
    this.#level = this.#outer.pop() ?? level
    return level
  }

  #checkModifier(modifier: string): void {
    const isNamed = this.#level.tokens.length > 1
    if (!isNamed && (modifier.startsWith('{') || modifier.startsWith(':')))
      throw new BadSubstitution()
    if (!substitution.isRefused(modifier)) return
    this.#leave()
    throw substitution.unsupportedModifierError(modifier)
  }

  #quoted(level: Level): string {
    const text = this.#text(tokensOf(this.#parse(level), 'part'), level.escapes)
    return this.#options.quotes === 'show' ? `"${text}"` : text
  }

  #substitution(level: Level): string {
    if (level.tokens.length === 2) throw new BadSubstitution()
    const children = this.#parse(level)
    const name = tokenOf(children, 'Name')?.image ?? ''
    const modifier = tokenOf(children, 'Modifier')?.image
    if (modifier === undefined) return this.#replaced(name, children)
    const operand = this.#text(tokensOf(children, 'operand'), level.escapes)
    const value = this.#options.lookup(name)
    if (value === undefined && this.#options.unset === 'keep')
      return `\${${name}${modifier}${operand}}`
    if (substitution.isTrim(modifier)) {
      if (value === undefined) this.#undefined.push(name)
      return substitution.trim(value ?? '', { modifier, operand }, this.#limits)
    }
    const { text, usesWord } = substitution.choose(modifier, { name, value, word: operand })
    // The word was expanded, and its mistakes count, even where it is not used.
    if (!usesWord) this.#undefined.length = level.undefinedBefore
    return text
  }

  #replaced(name: string, children: Children): string {
    const slash = tokenOf(children, 'Replace')?.image ?? ''
    const pattern = this.#text(tokensOf(children, 'pattern'), 'keep')
    const text = this.#text(tokensOf(children, 'operand'), 'keep')
    const value = this.#options.lookup(name)
    if (value === undefined) {
      if (this.#options.unset === 'keep') return `\${${name}${slash}${pattern}/${text}}`
      this.#undefined.push(name)
    }
    return substitution.replace(value ?? '', { slash, pattern, text }, this.#limits)
  }

  #parse({ rule, tokens }: Level): Children {
    this.#grammar.input = tokens
    const { children } = this.#grammar[rule]()
    if (this.#grammar.errors.length > 0) throw new Error('word grammar does not take the word')
    return children
  }

  #text(parts: readonly IToken[], escapes: Escapes): string {
    let text = ''
    for (const part of parts) {
      text += this.#textOf(part, escapes)
      this.#checkLength(text.length)
    }
    if (parts.length > 1) this.#work += text.length
    if (this.#work > MAX_ROUNDS * this.#limits.length)
      throw new RangeError('expansion takes too long')
    return text
  }

  #checkLength(length: number): void {
    if (length > this.#limits.length) throw new RangeError('result is too long')
  }

  #textOf({ image, tokenType }: IToken, escapes: Escapes): string {
    switch (tokenType) {
      case t.Escaped:
        return escapes === 'keep' ? image : image.slice(1)
      case t.QuotedEscape:
        return quotedEscape(image, escapes)
      case t.SingleQuoted:
        return this.#options.quotes === 'show' ? image : image.slice(1, -1)
      default:
        return image
    }
  }

  #variable(image: string): string {
    const name = image.startsWith('{', 1) ? image.slice(2, -1) : image.slice(1)
    const value = this.#options.lookup(name)
    if (value !== undefined) return value
    if (this.#options.unset === 'keep') return image
    this.#undefined.push(name)
    return ''
  }

  /** At the end of the text, the outermost open substitution is reported instead of `found`. */
  #atEnd(found: SyntaxError): SyntaxError {
    const open = [...this.#outer, this.#level].find(({ rule }) => rule === 'substitution')
    if (open === undefined) return found
    const has = (type: TokenType): boolean =>
      open.tokens.some(({ tokenType }) => tokenType === type)
    const missing = has(t.Replace) && !has(t.PatternEnd) ? `'/' in \${}` : "'}'"
    return new SyntaxError(`syntax error: missing ${missing}`)
  }
}

/** Quoted and escaped text stays in one word. */
function isProtected(tokenType: TokenType): boolean {
  return tokenType === t.QuotedText || tokenType === t.SingleQuoted || tokenType === t.Escaped
}

/** An escape that escapes nothing stays, and in a pattern it has to be escaped itself. */
function quotedEscape(image: string, escapes: Escapes): string {
  if (image.length === 1) return escapes === 'keep' ? image + image : image
  return escapes === 'keep' ? image : image.slice(1)
}

function unclosedQuoteError(kind: 'single' | 'double'): SyntaxError {
  return new SyntaxError(`unexpected end of statement while looking for matching ${kind}-quote`)
}

/** Found by looking ahead, so that it never stands at the end of the text. */
class BadSubstitution extends SyntaxError {
  constructor() {
    super('syntax error: bad substitution')
  }
}
