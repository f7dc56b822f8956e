import assert from 'node:assert/strict'
import type { IToken, TokenType } from 'chevrotain'
import { DockerfileGrammar } from '../../../parser/grammar/grammar.ts'
import { TOKENS } from '../../../parser/grammar/lexer.ts'
import type { PreparedParser } from '../../../parser/grammar/prepared-parser.ts'
import { WordGrammar } from '../../../parser/words/word-grammar.ts'
import { WORD_TOKENS } from '../../../parser/words/word-lexer.ts'

/** Chevrotain's functions that choose, by rule and by call. */
type Functions = readonly (readonly ((this: PreparedParser) => unknown)[])[]

describe('prepared parsers', () => {
  for (const [name, Grammar, tokens] of [
    ['Dockerfiles', DockerfileGrammar, TOKENS],
    ['words', WordGrammar, WORD_TOKENS],
  ] as const) {
    it(`choose as Chevrotain finds out that they have to: ${name}`, () => {
      const [prepared, analysed] = [new Grammar('use'), new Grammar('test')]
      const found = choices(prepared, tokens)
      assert.ok(found.length > 100)
      assert.deepEqual(found, choices(analysed, tokens))
    })

    it(`have the names of all rules: ${name}`, () => {
      const [prepared, analysed] = [new Grammar('use'), new Grammar('test')]
      const names = Object.keys(prepared.getGAstProductions())
      assert.deepEqual(names.toSorted(), Object.keys(analysed.getGAstProductions()).toSorted())
    })
  }
})

/** What every choice of a parser answers to every token that a text may have. */
function choices(parser: PreparedParser, tokens: readonly TokenType[]): readonly unknown[] {
  const functions = Reflect.get(parser, 'lookAheadFuncsCache') as Functions
  const families = new Set(tokens.flatMap(({ CATEGORIES = [] }) => CATEGORIES))
  const inText = tokens.filter((token) => !families.has(token))
  return inText.flatMap((tokenType) => {
    const token = { tokenType, tokenTypeIdx: tokenType.tokenTypeIdx } as IToken
    return functions.flatMap((calls, rule) =>
      Object.entries(calls).map(([call, choose]) => {
        parser.input = [token]
        return [tokenType.name, rule, call, choose.call(parser) || undefined]
      }),
    )
  })
}
