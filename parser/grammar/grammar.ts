/**
 * The grammar of logical lines. It accepts every sequence of tokens that the lexer produces, so
 * that parsing does not fail and one mistake never hides the next. The conversion to the AST checks
 * what an instruction requires.
 */
import type { CstNode, ParserMethod } from 'chevrotain'
import * as t from './lexer.ts'
import { type Choices, membersOf, PreparedParser } from './prepared-parser.ts'

type Rule = ParserMethod<[], CstNode>

const COMMANDS = membersOf(t.CommandKeyword, t.TOKENS)
const FILES = membersOf(t.FilesKeyword, t.TOKENS)
const LISTS = membersOf(t.ListKeyword, t.TOKENS)
const PAIRS = membersOf(t.PairsKeyword, t.TOKENS)
const TEXTS = membersOf(t.TextKeyword, t.TOKENS)
const FORMS = [COMMANDS, FILES, LISTS, PAIRS, [t.Arg], TEXTS, [t.Healthcheck]]
const INSTRUCTION = FORMS.flat()

const CHOICES: Choices = {
  dockerfile: { MANY: [[...INSTRUCTION, t.Onbuild]] },
  line: { OR: [INSTRUCTION, [t.Onbuild]] },
  onbuild: {
    OPTION: [[...INSTRUCTION, t.NestedOnbuild]],
    OR: [INSTRUCTION, [t.NestedOnbuild]],
  },
  instruction: { OR: FORMS },
  flags: { MANY: [[t.Flag]], OPTION: [[t.FlagsEnd]] },
  command: {},
  jsonOrText: { OPTION: [[t.Json, t.Text]], OR: [[t.Json], [t.Text]] },
  files: { OR: [[t.Json], 'otherwise'], MANY: [[t.Word]] },
  list: { MANY: [[t.Word]] },
  pairs: { OR: [[t.LegacyKey], 'otherwise'], OPTION: [[t.Text]], MANY: [[t.QuotedWord]] },
  args: { MANY: [[t.QuotedWord]] },
  text: { OPTION: [[t.Text]] },
  healthcheck: { OPTION: [[t.HealthType]] },
}

/** The grammar of one logical line. A parser has state: its input is set before a rule is called. */
export class DockerfileGrammar extends PreparedParser {
  constructor(purpose: 'use' | 'test') {
    super(t.TOKENS, purpose)
    this.complete(purpose, CHOICES)
  }

  readonly dockerfile: Rule = this.RULE('dockerfile', () => {
    this.CONSUME(t.Mark)
    this.MANY(() => this.SUBRULE(this.line))
  })

  readonly line: Rule = this.RULE('line', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.instruction) },
      { ALT: () => this.SUBRULE(this.onbuild) },
    ])
    this.CONSUME(t.Newline)
  })

  readonly onbuild: Rule = this.RULE('onbuild', () => {
    this.CONSUME(t.Onbuild)
    this.SUBRULE(this.flags)
    this.OPTION(() =>
      this.OR([
        { ALT: () => this.SUBRULE(this.instruction) },
        { ALT: () => this.CONSUME(t.NestedOnbuild) },
      ]),
    )
  })

  readonly instruction: Rule = this.RULE('instruction', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.command) },
      { ALT: () => this.SUBRULE(this.files) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.pairs) },
      { ALT: () => this.SUBRULE(this.args) },
      { ALT: () => this.SUBRULE(this.text) },
      { ALT: () => this.SUBRULE(this.healthcheck) },
    ])
  })

  readonly flags: Rule = this.RULE('flags', () => {
    this.MANY(() => this.CONSUME(t.Flag))
    this.OPTION(() => this.CONSUME(t.FlagsEnd))
  })

  readonly command: Rule = this.RULE('command', () => {
    this.CONSUME(t.CommandKeyword, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.SUBRULE(this.jsonOrText)
  })

  readonly jsonOrText: Rule = this.RULE('jsonOrText', () => {
    this.OPTION(() =>
      this.OR([{ ALT: () => this.CONSUME(t.Json) }, { ALT: () => this.CONSUME(t.Text) }]),
    )
  })

  readonly files: Rule = this.RULE('files', () => {
    this.CONSUME(t.FilesKeyword, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.OR([
      { ALT: () => this.CONSUME(t.Json) },
      { ALT: () => this.MANY(() => this.CONSUME(t.Word)) },
    ])
  })

  readonly list: Rule = this.RULE('list', () => {
    this.CONSUME(t.ListKeyword, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.MANY(() => this.CONSUME(t.Word))
  })

  readonly pairs: Rule = this.RULE('pairs', () => {
    this.CONSUME(t.PairsKeyword, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.LegacyKey)
          this.OPTION(() => this.CONSUME(t.Text))
        },
      },
      { ALT: () => this.MANY(() => this.CONSUME(t.QuotedWord)) },
    ])
  })

  readonly args: Rule = this.RULE('args', () => {
    this.CONSUME(t.Arg, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.MANY(() => this.CONSUME(t.QuotedWord))
  })

  readonly text: Rule = this.RULE('text', () => {
    this.CONSUME(t.TextKeyword, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.OPTION(() => this.CONSUME(t.Text))
  })

  readonly healthcheck: Rule = this.RULE('healthcheck', () => {
    this.CONSUME(t.Healthcheck, { LABEL: 'keyword' })
    this.SUBRULE(this.flags)
    this.OPTION(() => {
      this.CONSUME(t.HealthType)
      this.SUBRULE(this.jsonOrText)
    })
  })
}
