/** Patterns of `.dockerignore`. Like file name patterns, and `**` for any number of directories. */
import { Cursor, readText, type Step, type Test } from './glob.ts'
import { parsePathStep } from './path-pattern.ts'

/** One pattern of a `.dockerignore`. */
export interface PathPattern {
  /** True when the path or one of its parents matches. */
  matches(path: string): boolean
  /** True when a path below `dir` could match. */
  mayMatchBelow(dir: string): boolean
  /** The pattern without a wildcard but `**` and a slash at its start, which is left out of it. */
  readonly literal: { readonly name: string; readonly isAnywhere: boolean } | undefined
  /** The first name of every path that matches, where that is known. */
  readonly first: string | undefined
}

const SLASH = 47
const isAny: Test = () => true
const isNoSlash: Test = (code) => code !== SLASH

/** `**` and its slash: nothing, or anything up to a slash. */
const DIRECTORIES: readonly Step[] = [
  { kind: 'maybe', length: 2 },
  { kind: 'many', test: isAny },
  { kind: 'one', test: (code) => code === SLASH },
]

/** Compiles a cleaned and well-formed pattern. */
export function compileIgnorePattern(pattern: string): PathPattern {
  const cursor = new Cursor(parseSteps(pattern))
  const literal = literalOf(pattern)
  return {
    literal,
    first: firstName(pattern),
    matches:
      literal === undefined ? (path) => matchesAncestor(cursor, path) : matchLiteral(literal),
    mayMatchBelow: (dir) => {
      readText(cursor, `${dir}/`)
      return cursor.size > 0
    },
  }
}

// `name`, and `**` with a slash and a name: the two commonest forms need no steps.
function literalOf(pattern: string): PathPattern['literal'] {
  const isAnywhere = pattern.startsWith('**/')
  const name = isAnywhere ? pattern.slice(3) : pattern
  return name === '' || !isLiteral(name) ? undefined : { name, isAnywhere }
}

function matchLiteral({
  name,
  isAnywhere,
}: NonNullable<PathPattern['literal']>): PathPattern['matches'] {
  const whole = `/${name}/`
  return isAnywhere
    ? (path) => `/${path}/`.includes(whole)
    : (path) => path.startsWith(name) && (path.length === name.length || path[name.length] === '/')
}

/** One pass over the path answers for all its parents. */
function matchesAncestor(cursor: Cursor, path: string): boolean {
  cursor.start()
  for (let offset = 0; offset < path.length; offset++) {
    const code = path.codePointAt(offset) ?? 0
    if (code === SLASH && cursor.isMatch) return true
    if (cursor.size === 0) return false
    if (code > 0xffff) offset++
    cursor.read(code)
  }
  return cursor.isMatch
}

function isLiteral(pattern: string): boolean {
  return !/[*?[\]\\]/.test(pattern)
}

function parseSteps(pattern: string): readonly Step[] {
  const steps: Step[] = []
  for (let offset = 0; offset < pattern.length; ) {
    if (pattern.startsWith('**', offset)) {
      const isFollowed = pattern[offset + 2] === '/'
      const next = offset + (isFollowed ? 3 : 2)
      steps.push(...anyDirectories(pattern, { start: offset, next }))
      offset = next
    } else if (pattern[offset] === '*') {
      steps.push({ kind: 'many', test: isNoSlash })
      offset++
    } else {
      const step = parsePathStep(pattern, offset)
      if (step === undefined) throw new Error(`malformed pattern ${pattern}`)
      steps.push({ kind: 'one', test: step.test })
      offset = step.end
    }
  }
  return steps
}

/**
 * `**` at the end takes everything. Elsewhere it takes whole directories; a pattern that is `**` and
 * then only text, without a slash between, is a suffix.
 */
function anyDirectories(
  pattern: string,
  { start, next }: { readonly start: number; readonly next: number },
): readonly Step[] {
  if (next === pattern.length) return [{ kind: 'many', test: isAny }]
  const isSuffix = start === 0 && pattern[2] !== '/' && isLiteral(pattern.slice(2))
  return isSuffix ? [{ kind: 'many', test: isAny }] : DIRECTORIES
}

/** The first name of a pattern with more than one; `undefined` when it holds a wildcard. */
function firstName(pattern: string): string | undefined {
  const slash = pattern.indexOf('/')
  const name = pattern.slice(0, Math.max(slash, 0))
  return slash <= 0 || !isLiteral(name) ? undefined : name
}
