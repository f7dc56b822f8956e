import { TsbuildError } from '#core'
import { Cursor, readText, type Step, type Test } from './glob.ts'

const SLASH = 47

const isNoSlash: Test = (code) => code !== SLASH

/** A character of a pattern, or a class of them. */
export type PathStep = { readonly test: Test; readonly end: number }

/**
 * Shell file name matching: `*` and `?` do not cross `/`, `[a-z]` and `[^a-z]` are classes, a
 * backslash takes away a meaning. Spec: Go filepath.Match
 * @throws {TsbuildError} DOCKERFILE_INVALID for a malformed pattern
 */
export function matchPath(pattern: string, path: string): boolean {
  return pathMatcher(pattern)(path)
}

/** `matchPath` for many paths. @throws {TsbuildError} DOCKERFILE_INVALID for a malformed pattern */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const steps = parsePathPattern(pattern)
  if (steps === undefined) {
    throw new TsbuildError(`syntax error in pattern: ${JSON.stringify(pattern)}`, {
      code: 'DOCKERFILE_INVALID',
      hint: 'close every [ with a ] that has something in it, and put no backslash at the end',
    })
  }
  const cursor = new Cursor(steps)
  return (path) => {
    readText(cursor, path)
    return cursor.isMatch
  }
}

/** True when a path has characters that mean something in a pattern. */
export function hasWildcards(path: string): boolean {
  for (let offset = 0; offset < path.length; offset++) {
    const char = path.charAt(offset)
    if (char === '\\') offset++
    else if (char === '*' || char === '?' || char === '[') return true
  }
  return false
}

/** True when the pattern is well-formed. */
export function validatePattern(pattern: string): boolean {
  return parsePathPattern(pattern) !== undefined
}

function parsePathPattern(pattern: string): readonly Step[] | undefined {
  const steps: Step[] = []
  for (let offset = 0; offset < pattern.length; ) {
    if (pattern[offset] === '*') {
      steps.push({ kind: 'many', test: isNoSlash })
      offset++
      continue
    }
    const step = parsePathStep(pattern, offset)
    if (step === undefined) return undefined
    steps.push({ kind: 'one', test: step.test })
    offset = step.end
  }
  return steps
}

/** What stands at `offset`, which is not `*`; `undefined` when it is malformed. */
export function parsePathStep(pattern: string, offset: number): PathStep | undefined {
  const char = pattern[offset]
  if (char === '?') return { test: isNoSlash, end: offset + 1 }
  if (char === '[') return parseClass(pattern, offset + 1)
  const literal = parseCharacter(pattern, offset)
  if (literal === undefined) return undefined
  return { test: (code) => code === literal.code, end: literal.end }
}

interface Character {
  readonly code: number
  readonly end: number
}

/** A character, perhaps escaped. */
function parseCharacter(pattern: string, offset: number): Character | undefined {
  const start = pattern[offset] === '\\' ? offset + 1 : offset
  const code = pattern.codePointAt(start)
  return code === undefined ? undefined : { code, end: start + (code > 0xffff ? 2 : 1) }
}

function parseClass(pattern: string, start: number): PathStep | undefined {
  const isNegated = pattern[start] === '^'
  const ranges: (readonly [number, number])[] = []
  let offset = isNegated ? start + 1 : start
  while (pattern[offset] !== ']' || ranges.length === 0) {
    const low = parseClassCharacter(pattern, offset)
    if (low === undefined) return undefined
    let high = low
    if (pattern[low.end] === '-') {
      const end = parseClassCharacter(pattern, low.end + 1)
      if (end === undefined) return undefined
      high = end
    }
    ranges.push([low.code, high.code])
    offset = high.end
  }
  const isIn: Test = (code) => ranges.some(([low, high]) => low <= code && code <= high)
  return { test: isNegated ? (code) => !isIn(code) : isIn, end: offset + 1 }
}

/** In a class, a bare `-` or `]` is malformed. */
function parseClassCharacter(pattern: string, offset: number): Character | undefined {
  const char = pattern[offset]
  if (char === '-' || char === ']') return undefined
  return parseCharacter(pattern, offset)
}

/** The shortest path with the same meaning, without a slash at its end. Spec: Go filepath.Clean */
export function cleanPath(path: string): string {
  const isRooted = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    const isUp = part === '..'
    if (isUp && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!isUp || !isRooted) parts.push(part)
  }
  const joined = parts.join('/')
  if (isRooted) return `/${joined}`
  return joined === '' ? '.' : joined
}
