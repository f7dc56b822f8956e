import { TsbuildError } from '#core'

/** Far more than names are long. */
const MOST_CHARACTERS = 1024

/**
 * Whether a name fits a pattern of the shell: `*` and `?` for what has no slash, `[a-z]`, `[^a-z]`, and `\` before a
 * character that is meant as it is.
 * @throws {TsbuildError} USAGE
 */
export function matchesPattern(pattern: string, name: string): boolean {
  if (pattern.length > MOST_CHARACTERS) throw invalidPatternError()
  return matchesParts(parsePattern(pattern), name)
}

type Part = 'any' | ((character: string) => boolean)

/** In time that is linear in the product of both lengths: the last `*` alone is tried again. */
function matchesParts(parts: readonly Part[], name: string): boolean {
  let [part, at] = [0, 0]
  let retry: { readonly part: number; at: number } | undefined
  while (at < name.length || part < parts.length) {
    const wanted = parts[part]
    const character = name[at]
    if (wanted === 'any') {
      retry = { part: part + 1, at }
      part += 1
    } else if (wanted !== undefined && character !== undefined && wanted(character)) {
      part += 1
      at += 1
    } else {
      // A slash is in no `*`.
      if (retry === undefined || (name[retry.at] ?? '/') === '/') return false
      retry = { part: retry.part, at: retry.at + 1 }
      part = retry.part
      at = retry.at
    }
  }
  return true
}

function parsePattern(pattern: string): readonly Part[] {
  const parts: Part[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    if (character === '*') {
      if (parts.at(-1) !== 'any') parts.push('any')
    } else if (character === '?') parts.push((one) => one !== '/')
    else if (character === '[') {
      const { end, matches } = parseSet(pattern, at + 1)
      parts.push(matches)
      at = end
    } else if (character === '\\') {
      at += 1
      const literal = pattern[at]
      if (literal === undefined) throw invalidPatternError()
      parts.push((one) => one === literal)
    } else parts.push((one) => one === character)
  }
  return parts
}

interface CharacterSet {
  /** Where its bracket is closed. */
  readonly end: number
  readonly matches: (character: string) => boolean
}

function parseSet(pattern: string, start: number): CharacterSet {
  const isNegated = pattern[start] === '^'
  const ranges: (readonly [low: string, high: string])[] = []
  let at = isNegated ? start + 1 : start
  const next = (): string => {
    if (pattern[at] === '\\') at += 1
    const character = pattern[at]
    if (character === undefined) throw invalidPatternError()
    at += 1
    return character
  }
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = next()
    const isRange = pattern[at] === '-'
    if (isRange) at += 1
    ranges.push([low, isRange ? next() : low])
  }
  const isWithin = (one: string) => ranges.some(([low, high]) => low <= one && one <= high)
  return { end: at, matches: (one) => isWithin(one) !== isNegated && one !== '/' }
}

function invalidPatternError(): TsbuildError {
  return new TsbuildError('syntax error in pattern', { code: 'USAGE' })
}
