/**
 * The grammar of one level of a word: the word itself, a part in double quotes, or a substitution.
 * Nested levels are parsed before and are tokens here, so that nesting takes no stack.
 */
import type { CstNode, ParserMethod } from 'chevrotain'
import { type Choices, membersOf, PreparedParser } from '../grammar/prepared-parser.ts'
import * as t from './word-lexer.ts'

type Rule = ParserMethod<[], CstNode>

const PARTS = [membersOf(t.Part, t.WORD_TOKENS)]

const CHOICES: Choices = {
  word: { MANY: PARTS },
  quoted: { MANY: PARTS },
  substitution: {
    OPTION: [[t.Name]],
    OR: [[t.Modifier], [t.Replace]],
    MANY: PARTS,
    MANY1: PARTS,
    MANY2: PARTS,
  },
}

/** The grammar of words. A parser has state: its input is set before a rule is called. */
export class WordGrammar extends PreparedParser {
  constructor(purpose: 'use' | 'test') {
    super(t.WORD_TOKENS, purpose)
    this.complete(purpose, CHOICES)
  }

  readonly word: Rule = this.RULE('word', () => {
    this.CONSUME(t.Settings)
    this.MANY(() => this.CONSUME(t.Part, { LABEL: 'part' }))
  })

  readonly quoted: Rule = this.RULE('quoted', () => {
    this.CONSUME(t.QuoteStart)
    this.MANY(() => this.CONSUME(t.Part, { LABEL: 'part' }))
    this.CONSUME(t.QuoteEnd)
  })

  readonly substitution: Rule = this.RULE('substitution', () => {
    this.CONSUME(t.SubstitutionStart)
    this.OPTION(() => this.CONSUME(t.Name))
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Modifier)
          this.MANY(() => this.CONSUME(t.Part, { LABEL: 'operand' }))
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Replace)
          this.MANY1(() => this.CONSUME1(t.Part, { LABEL: 'pattern' }))
          this.CONSUME(t.PatternEnd)
          this.MANY2(() => this.CONSUME2(t.Part, { LABEL: 'operand' }))
        },
      },
    ])
    this.CONSUME(t.SubstitutionEnd)
  })
}
