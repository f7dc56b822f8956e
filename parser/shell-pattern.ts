/** The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `*` and `?` are special, the rest is literal. */
import { type Budget, endsAnywhere, endsFrom, type Step } from './glob.ts'

/** Go's dot, which BuildKit's patterns become, stops at line ends. */
const isInLine = (code: number): boolean => code !== 10

const STAR: Step = { kind: 'many', test: isInLine }
const ANY: Step = { kind: 'one', test: isInLine }

/** Reads a pattern. @throws {SyntaxError} for a backslash in front of the wrong character */
export function parseShellPattern(pattern: string): readonly Step[] {
  const steps: Step[] = []
  const chars = [...pattern]
  for (let index = 0; index < chars.length; index++) {
    const char = chars[index] ?? ''
    if (char === '*') steps.push(STAR)
    else if (char === '?') steps.push(ANY)
    else if (char !== '\\') steps.push(literal(char))
    else {
      const escaped = chars[++index] ?? ''
      if (!isEscapable(escaped)) throw new SyntaxError(`invalid escape '\\${escaped}'`)
      steps.push(literal(escaped))
    }
  }
  return steps
}

function isEscapable(char: string): boolean {
  return char !== '' && '*?\\}/'.includes(char)
}

function literal(char: string): Step {
  const wanted = char.codePointAt(0)
  return { kind: 'one', test: (code) => code === wanted }
}

interface Trim {
  readonly side: 'start' | 'end'
  readonly extent: 'shortest' | 'longest'
  readonly budget: Budget
}

/** `value` without what the pattern matches at one side. @throws {RangeError} over budget */
export function trimPattern(value: string, steps: readonly Step[], trim: Trim): string {
  const { side, extent, budget } = trim
  const codes = codesOf(value)
  if (side === 'end') codes.reverse()
  const ordered = side === 'end' ? steps.toReversed() : steps
  const ends = endsFrom(ordered, codes, { start: 0, budget })
  if (ends === undefined) return value
  const rest = codes.slice(ends[extent])
  if (side === 'end') rest.reverse()
  return textOf(rest)
}

interface Replacement {
  readonly text: string
  readonly times: 'first' | 'all'
  readonly budget: Budget
  /** Characters of the result, at most. */
  readonly limit: number
}

/**
 * `value` with the pattern's matches replaced: each begins as early and ends as late as it can.
 * @throws {RangeError} over budget or limit
 */
export function replacePattern(
  value: string,
  steps: readonly Step[],
  { text, times, budget, limit }: Replacement,
): string {
  const codes = codesOf(value)
  const starts = endsAnywhere(steps.toReversed(), codes.toReversed(), budget).toReversed()
  let result = ''
  let kept = 0
  for (let start = 0; start <= codes.length; start++) {
    if (!starts[start]) continue
    const end = endsFrom(steps, codes, { start, budget })?.longest ?? start
    // An empty match right behind another match is none.
    if (end === start && start === kept && start > 0) continue
    if (result.length + text.length > limit) throw new RangeError('result is too long')
    result += textOf(codes.slice(kept, start)) + text
    kept = end
    if (times === 'first') break
    start = Math.max(start, end - 1)
  }
  return result + textOf(codes.slice(kept))
}

function codesOf(text: string): number[] {
  return Array.from(text, (char) => char.codePointAt(0) ?? 0)
}

function textOf(codes: readonly number[]): string {
  let text = ''
  for (const code of codes) text += String.fromCodePoint(code)
  return text
}
