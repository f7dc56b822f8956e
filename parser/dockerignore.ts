import { TsbuildError } from '#core'
import { trimSpace } from './characters.ts'
import { compileIgnorePattern, type PathPattern } from './ignore-pattern.ts'
import { cleanPath, validatePattern } from './path-pattern.ts'

/** What a `.dockerignore` leaves out of a build context. */
export interface IgnoreRules {
  /**
   * `path` is relative to the context root, with `/` between its parts and none at its ends. The last
   * pattern that matches the path or one of its parents decides.
   */
  isIgnored(path: string): boolean
  /**
   * False when nothing below the directory `dir` can be included, so that it need not be walked.
   * True for a directory that is not ignored.
   */
  mayContainIncluded(dir: string): boolean
}

interface Rule {
  readonly isException: boolean
  readonly pattern: PathPattern
}

/** Reads a `.dockerignore`. @throws {TsbuildError} CONTEXT_INVALID for a malformed pattern */
export function parseDockerignore(text: string): IgnoreRules {
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n')
  return new PatternRules(lines.flatMap((line, index) => parseLine(line, index + 1) ?? []))
}

/**
 * Rules from patterns in `.dockerignore` form that did not come from a file, e.g. `COPY --exclude`.
 * @throws {TsbuildError} DOCKERFILE_INVALID for a malformed pattern
 */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  const rules = patterns
    .map(trimSpace)
    .filter((pattern) => pattern !== '')
    .map((pattern) => toRule(pattern, { code: 'DOCKERFILE_INVALID', place: '' }))
  return new PatternRules(rules)
}

/** A comment has its `#` in the first column; a path is taken from the root, however it is written. */
function parseLine(line: string, number: number): Rule | undefined {
  if (line.startsWith('#')) return undefined
  const pattern = trimSpace(line)
  if (pattern === '') return undefined
  return toRule(pattern, { code: 'CONTEXT_INVALID', place: `.dockerignore line ${number}: ` })
}

interface Blame {
  readonly code: 'CONTEXT_INVALID' | 'DOCKERFILE_INVALID'
  readonly place: string
}

function toRule(pattern: string, { code, place }: Blame): Rule {
  const isException = pattern.startsWith('!')
  const body = isException ? trimSpace(pattern.slice(1)) : pattern
  if (body === '') {
    const message = `${place}illegal exclusion pattern: "!"`
    throw new TsbuildError(message, { code, hint: 'write a pattern behind the exclamation mark' })
  }
  const cleaned = cleanPath(body)
  const rooted = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned
  if (!validatePattern(rooted)) {
    throw new TsbuildError(`${place}syntax error in pattern: ${JSON.stringify(pattern)}`, {
      code,
      hint: 'close every [ with a ] that has something in it, and put no backslash at the end',
    })
  }
  return { isException, pattern: compileIgnorePattern(rooted) }
}

class PatternRules implements IgnoreRules {
  readonly #rules: readonly Rule[]

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  isIgnored(path: string): boolean {
    return this.#deciding(path)?.isException === false
  }

  mayContainIncluded(dir: string): boolean {
    const deciding = this.#deciding(dir)
    if (deciding?.isException !== false) return true
    const later = this.#rules.slice(this.#rules.indexOf(deciding) + 1)
    return later.some(({ isException, pattern }) => isException && pattern.mayMatchBelow(dir))
  }

  #deciding(path: string): Rule | undefined {
    return this.#rules.findLast(({ pattern }) => pattern.matches(path))
  }
}
