import type { TokenType } from 'chevrotain'
import { CstParser } from './chevrotain.ts'

/** The tokens that an alternative begins with; one that may be empty is taken where no other is. */
export type Beginning = readonly TokenType[] | 'otherwise'

/**
 * What each choice of a grammar depends on: for every rule its calls of `OR`, `OPTION` and `MANY`, by their
 * names, and for each call its alternatives.
 */
export type Choices = Readonly<Record<string, Readonly<Record<string, readonly Beginning[]>>>>

/** Answers with the alternative to take; for `OPTION` and `MANY`, whether there is something to take. */
type Choice = () => number | boolean | undefined

/** What Chevrotain's own analysis of a grammar leaves in a parser, by Chevrotain's names. */
interface Analysis {
  selfAnalysisDone: boolean
  readonly fullRuleNameToShort: Readonly<Record<string, number>>
  readonly gastProductionsCache: Record<string, unknown>
  readonly lookAheadFuncsCache: Choice[][]
}

/** A choice is found by the kind of its call and by the digit at the end of the call's name. */
const KINDS: Readonly<Record<string, number>> = { OR: 1 << 8, OPTION: 2 << 8, MANY: 3 << 8 }

/**
 * A parser whose grammar is analysed when it is tested. For use, the result is written down beside the grammar:
 * Chevrotain finds it out by recording calls of all rules, which takes longer than to parse most files.
 */
export class PreparedParser extends CstParser {
  constructor(tokens: readonly TokenType[], purpose: 'use' | 'test') {
    super([...tokens], { skipValidations: purpose === 'use', maxLookahead: 1 })
  }

  /** Ends the definition of the grammar; `choices` must be what `test` finds out, for all rules. */
  protected complete(purpose: 'use' | 'test', choices: Choices): void {
    if (purpose === 'test') {
      this.performSelfAnalysis()
      return
    }
    const analysis = this as unknown as Analysis
    for (const [rule, calls] of Object.entries(choices)) {
      const found: Choice[] = []
      for (const [call, alternatives] of Object.entries(calls)) {
        const [, kind = '', digit] = /^([A-Z]+)(\d?)$/.exec(call) ?? []
        const choose = this.#choice(alternatives)
        found[(KINDS[kind] ?? 0) | Number(digit)] =
          kind === 'OR' ? choose : () => choose() !== undefined
      }
      // Only its names are asked for, by visitors.
      analysis.gastProductionsCache[rule] = undefined
      analysis.lookAheadFuncsCache[analysis.fullRuleNameToShort[rule] ?? -1] = found
    }
    analysis.selfAnalysisDone = true
  }

  #choice(alternatives: readonly Beginning[]): () => number | undefined {
    // By the numbers that Chevrotain gives to token types: every token of a text is looked up.
    const places: number[] = []
    for (const [index, tokens] of alternatives.entries()) {
      if (tokens === 'otherwise') continue
      for (const { tokenTypeIdx = 0 } of tokens) places[tokenTypeIdx] = index
    }
    const last = alternatives.indexOf('otherwise')
    const otherwise = last < 0 ? undefined : last
    return () => places[this.LA(1).tokenTypeIdx] ?? otherwise
  }
}

/** The tokens of a family, as they are in a text. */
export function membersOf(family: TokenType, tokens: readonly TokenType[]): readonly TokenType[] {
  return tokens.filter(({ CATEGORIES = [] }) => [CATEGORIES].flat().includes(family))
}
