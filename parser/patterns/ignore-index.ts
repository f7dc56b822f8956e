import type { PathPattern } from './ignore-pattern.ts'

interface CompiledRule {
  readonly isException: boolean
  readonly matcher: PathPattern
}

/** Longer ones are looked at one by one: an index of all that is above them would be large. */
const MAX_INDEXED = 1024

/**
 * Finds the last of very many rules that matches, without looking at each. A rule is filed under what
 * a path must have for it to match: all of the path or one above it, one of its names, or the first
 * one. Places are those in the list of rules; -1 is none.
 */
export class IgnoreIndex {
  readonly #rules: readonly CompiledRule[]
  /** The last rule that is exactly this path. */
  readonly #paths = new Map<string, number>()
  /** The last rule that is this name, anywhere. */
  readonly #names = new Map<string, number>()
  /** Other rules whose first name has no wildcard, by that name, in order. */
  readonly #firsts = new Map<string, number[]>()
  readonly #others: number[] = []
  /** The last exception that is a path below this one. */
  readonly #exceptionsBelow = new Map<string, number>()
  /** Exceptions that are not in `#exceptionsBelow`, in order. */
  readonly #otherExceptions: number[] = []

  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules
    for (const [place, rule] of rules.entries()) {
      this.#file(rule, place)
      if (rule.isException) this.#fileException(rule, place)
    }
  }

  #file({ matcher }: CompiledRule, place: number): void {
    const { literal, first } = matcher
    const isIndexed = literal !== undefined && literal.name.length <= MAX_INDEXED
    if (isIndexed && !literal.isAnywhere) this.#paths.set(literal.name, place)
    else if (isIndexed && !literal.name.includes('/')) this.#names.set(literal.name, place)
    else if (first === undefined) this.#others.push(place)
    else {
      const list = this.#firsts.get(first) ?? []
      list.push(place)
      this.#firsts.set(first, list)
    }
  }

  #fileException({ matcher }: CompiledRule, place: number): void {
    const { literal } = matcher
    if (literal === undefined || literal.isAnywhere || literal.name.length > MAX_INDEXED) {
      this.#otherExceptions.push(place)
      return
    }
    const { name } = literal
    for (let end = name.indexOf('/'); end >= 0; end = name.indexOf('/', end + 1)) {
      this.#exceptionsBelow.set(name.slice(0, end), place)
    }
  }

  /** The place of the last rule that matches `path` or one of its parents. */
  lastMatch(path: string): number {
    let last = Math.max(this.#lastPath(path), this.#lastName(path))
    const slash = path.indexOf('/')
    const firsts = this.#firsts.get(slash < 0 ? path : path.slice(0, slash)) ?? []
    for (const places of [firsts, this.#others]) {
      const matching = places.findLast((place) => {
        return place < last || this.#rules[place]?.matcher.matches(path) === true
      })
      last = Math.max(last, matching ?? -1)
    }
    return last
  }

  /** Whether an exception after `place` could match something below `dir`. */
  mayIncludeBelow(dir: string, place: number): boolean {
    if ((this.#exceptionsBelow.get(dir) ?? -1) > place) return true
    const last = this.#otherExceptions.findLast((exception) => {
      return exception < place || this.#rules[exception]?.matcher.mayMatchBelow(dir) === true
    })
    return last !== undefined && last > place
  }

  #lastPath(path: string): number {
    let last = -1
    if (this.#paths.size === 0) return last
    for (let end = path.indexOf('/'); end >= 0 && end <= MAX_INDEXED; ) {
      last = Math.max(last, this.#paths.get(path.slice(0, end)) ?? -1)
      end = path.indexOf('/', end + 1)
    }
    return Math.max(last, this.#paths.get(path) ?? -1)
  }

  #lastName(path: string): number {
    if (this.#names.size === 0) return -1
    return Math.max(-1, ...path.split('/').map((name) => this.#names.get(name) ?? -1))
  }
}
