/** The grammar of a word. Everything that the lexer can make fits; missing ends are found later. */
import type { CstNode, ParserMethod } from 'chevrotain'
import { CstParser } from './chevrotain.ts'
import * as t from './word-lexer.ts'

type Rule = ParserMethod<[], CstNode>

export class WordGrammar extends CstParser {
  constructor(purpose: 'use' | 'test') {
    super([...t.WORD_TOKENS], { skipValidations: purpose === 'use', maxLookahead: 1 })
    this.performSelfAnalysis()
  }

  readonly word: Rule = this.RULE('word', () => {
    this.CONSUME(t.Settings)
    this.SUBRULE(this.parts)
  })

  readonly parts: Rule = this.RULE('parts', () => {
    this.MANY(() =>
      this.OR([
        { ALT: () => this.CONSUME(t.Part, { LABEL: 'part' }) },
        { ALT: () => this.SUBRULE(this.quoted, { LABEL: 'part' }) },
        { ALT: () => this.SUBRULE(this.substitution, { LABEL: 'part' }) },
      ]),
    )
  })

  readonly quoted: Rule = this.RULE('quoted', () => {
    this.CONSUME(t.QuoteStart)
    this.MANY(() =>
      this.OR([
        { ALT: () => this.CONSUME(t.Part, { LABEL: 'part' }) },
        { ALT: () => this.SUBRULE(this.substitution, { LABEL: 'part' }) },
      ]),
    )
    this.OPTION(() => this.CONSUME(t.QuoteEnd))
  })

  readonly substitution: Rule = this.RULE('substitution', () => {
    this.CONSUME(t.SubstitutionStart)
    this.OPTION(() => this.CONSUME(t.Name))
    this.OPTION1(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.Modifier)
            this.SUBRULE(this.parts, { LABEL: 'operand' })
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Replace)
            this.SUBRULE1(this.parts, { LABEL: 'pattern' })
            this.OPTION2(() => {
              this.CONSUME(t.PatternEnd)
              this.SUBRULE2(this.parts, { LABEL: 'operand' })
            })
          },
        },
      ]),
    )
    this.OPTION3(() => this.CONSUME(t.SubstitutionEnd))
  })
}
