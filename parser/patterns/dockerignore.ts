import { TsbuildError } from '#core'
import { trimSpace } from '../text/characters.ts'
import { IgnoreIndex } from './ignore-index.ts'
import { compileIgnorePattern, type PathPattern } from './ignore-pattern.ts'
import { cleanPath, validatePattern } from './path-pattern.ts'

/** One pattern of a `.dockerignore`. */
export interface IgnoreRule {
  /** As it is written, without white space around it. */
  readonly pattern: string
  /** 1-based line in the file; the place in the list where there is no file. */
  readonly line: number
  /** It includes again what an earlier one ignores. */
  readonly isException: boolean
}

/** What a `.dockerignore` leaves out of a build context. */
export interface IgnoreRules {
  /** In the order of the file. */
  readonly rules: readonly IgnoreRule[]
  /**
   * `path` is relative to the context root, with `/` between its parts and none at its ends. The last
   * pattern that matches the path or one of its parents decides.
   */
  isIgnored(path: string): boolean
  /** The rule that decides on `path`; `undefined` when none matches, and it is included. */
  decidingRule(path: string): IgnoreRule | undefined
  /** The rules that match `path` or one of its parents, in the order of the file. */
  matchingRules(path: string): readonly IgnoreRule[]
  /**
   * False when nothing below the directory `dir` can be included, so that it need not be walked.
   * True for a directory that is not ignored.
   */
  mayContainIncluded(dir: string): boolean
}

interface Rule extends IgnoreRule {
  readonly matcher: PathPattern
}

/** Longer lines are refused, as by every reader of these files. In bytes. */
const MAX_LINE = 65_535

/**
 * Reads a `.dockerignore`. `name` stands for the file in messages.
 * @throws {TsbuildError} CONTEXT_INVALID for a malformed pattern or a line of over 65,535 bytes
 */
export function parseDockerignore(text: string, name = '.dockerignore'): IgnoreRules {
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n')
  return new PatternRules(lines.flatMap((line, index) => parseLine(line, index + 1, name) ?? []))
}

/**
 * Rules from patterns in `.dockerignore` form that did not come from a file, e.g. `COPY --exclude`.
 * @throws {TsbuildError} DOCKERFILE_INVALID for a malformed pattern
 */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = patterns
    .map(trimSpace)
    .filter((pattern) => pattern !== '')
    .map((pattern, index) => toRule(pattern, index + 1, { code: 'DOCKERFILE_INVALID', place: '' }))
  return new PatternRules(rules)
}

/** A comment has its `#` in the first column; a path is taken from the root, however it is written. */
function parseLine(line: string, number: number, name: string): Rule | undefined {
  const place = `${name} line ${number}: `
  if (line.length * 3 > MAX_LINE && Buffer.byteLength(line) > MAX_LINE) {
    throw new TsbuildError(`${place}longer than ${MAX_LINE} bytes`, {
      code: 'CONTEXT_INVALID',
      hint: 'write one pattern a line',
    })
  }
  if (line.startsWith('#')) return undefined
  const pattern = trimSpace(line)
  if (pattern === '') return undefined
  return toRule(pattern, number, { code: 'CONTEXT_INVALID', place })
}

interface PatternOrigin {
  readonly code: 'CONTEXT_INVALID' | 'DOCKERFILE_INVALID'
  readonly place: string
}

function toRule(pattern: string, line: number, { code, place }: PatternOrigin): Rule {
  const isException = pattern.startsWith('!')
  const body = isException ? trimSpace(pattern.slice(1)) : pattern
  const cleaned = body === '' ? '' : cleanPath(body)
  // `!/` becomes a lone `!`, which has no meaning.
  if (isException && (cleaned === '' || cleaned === '/')) {
    const message = `${place}illegal exclusion pattern: "!"`
    throw new TsbuildError(message, { code, hint: 'write a pattern behind the exclamation mark' })
  }
  const rooted = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned
  if (!validatePattern(rooted)) {
    throw new TsbuildError(`${place}syntax error in pattern: ${JSON.stringify(pattern)}`, {
      code,
      hint: 'close every [ with a ] that has something in it, and put no backslash at the end',
    })
  }
  return { pattern, line, isException, matcher: compileIgnorePattern(rooted) }
}

class PatternRules implements IgnoreRules {
  readonly rules: readonly Rule[]
  readonly #index: IgnoreIndex

  constructor(rules: readonly Rule[]) {
    this.rules = rules
    this.#index = new IgnoreIndex(rules)
  }

  isIgnored(path: string): boolean {
    return this.decidingRule(path)?.isException === false
  }

  decidingRule(path: string): Rule | undefined {
    return this.rules[this.#index.lastMatch(path)]
  }

  matchingRules(path: string): readonly Rule[] {
    return this.rules.filter(({ matcher }) => matcher.matches(path))
  }

  mayContainIncluded(dir: string): boolean {
    const place = this.#index.lastMatch(dir)
    if (this.rules[place]?.isException !== false) return true
    return this.#index.mayIncludeBelow(dir, place)
  }
}
