/** The only import of Chevrotain. Its seventy modules take 40 ms to load without a bundler. */
import { Lexer as ChevrotainLexer } from 'chevrotain'

export { CstParser, createToken } from 'chevrotain'

/** Chevrotain's name for making a table of 65,536 numbers, in which no lexer with `safeMode` looks. */
const TABLE = 'initCharCodeToOptimizedIndexMap'

/** Chevrotain's lexer, for `safeMode`. */
export class Lexer extends ChevrotainLexer {
  /** Through this, Chevrotain calls the parts of its constructor, by names for a log of their times. */
  get TRACE_INIT(): <T>(part: string, work: () => T) => T | undefined {
    return (part, work) => (part === TABLE ? undefined : work())
  }

  set TRACE_INIT(_log: unknown) {
    // The constructor has one that also writes the log.
  }
}
