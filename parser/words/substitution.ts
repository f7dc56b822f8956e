/** Evaluates `${name…}` with expanded operands. Mistakes are `SyntaxError`s. */
import {
  type Budget,
  parseShellPattern,
  replacePattern,
  reversePattern,
  type ShellPattern,
  trimPattern,
} from './shell-pattern.ts'

/** The bounds of one expansion. */
export interface Limits {
  readonly budget: Budget
  /** Characters of the result, at most. */
  readonly length: number
}

/** Whether a modifier is refused before its operand is read. */
export function isRefused(modifier: string): boolean {
  if (modifier.startsWith(':')) return modifier === ':#' || modifier === ':%'
  return !'-+?#%'.includes(modifier)
}

/** Whether the operand of a modifier is a pattern. */
export function isTrim(modifier: string): modifier is '#' | '%' {
  return modifier === '#' || modifier === '%'
}

/** `${name-word}` and its relatives: `undefined` stands for the word, which is used. */
export function choose(
  modifier: string,
  {
    name,
    value,
    word,
  }: { readonly name: string; readonly value: string | undefined; readonly word: string },
): { readonly text: string; readonly usesWord: boolean } {
  const isColon = modifier.startsWith(':')
  const isMissing = value === undefined || (isColon && value === '')
  switch (isColon ? modifier.slice(1) : modifier) {
    case '-':
      return isMissing ? { text: word, usesWord: true } : { text: value, usesWord: false }
    case '+':
      return { text: isMissing ? '' : word, usesWord: !isMissing }
    case '?': {
      if (!isMissing) return { text: value, usesWord: false }
      const reason = value === undefined ? 'unset' : 'empty'
      throw new SyntaxError(`${name}: ${word || `is not allowed to be ${reason}`}`)
    }
    default:
      throw unsupportedModifierError(modifier)
  }
}

/** `${name#pattern}` and `${name%pattern}`; a doubled sign is the operand's first character. */
export function trim(
  value: string,
  { modifier, operand }: { readonly modifier: '#' | '%'; readonly operand: string },
  { budget }: Limits,
): string {
  const isDoubled = operand.startsWith(modifier)
  const written = isDoubled ? operand.slice(1) : operand
  return trimPattern(value, patternOf(modifier === '#' ? written : reversePattern(written)), {
    side: modifier === '#' ? 'start' : 'end',
    extent: isDoubled ? 'longest' : 'shortest',
    budget,
  })
}

/** `${name/pattern/text}`, with two slashes in front for all matches. */
export function replace(
  value: string,
  operands: { readonly slash: string; readonly pattern: string; readonly text: string },
  { budget, length }: Limits,
): string {
  const times = operands.slash === '//' ? 'all' : 'first'
  const { text } = operands
  return replacePattern(value, patternOf(operands.pattern), { text, times, budget, limit: length })
}

/** For a modifier that does not exist. */
export function unsupportedModifierError(modifier: string): SyntaxError {
  return new SyntaxError(`unsupported modifier (${modifier}) in substitution`)
}

function patternOf(pattern: string): ShellPattern {
  try {
    return parseShellPattern(pattern)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new SyntaxError(`invalid pattern (${pattern}) in substitution: ${cause.message}`, {
      cause,
    })
  }
}
