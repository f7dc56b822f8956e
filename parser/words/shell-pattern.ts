/**
 * The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `*` and `?` are special, the rest is literal.
 * Between stars stand segments of fixed length. Of each but the last only the first place that fits
 * need be tried, since whatever can follow a later place can follow the first one too; so nothing is
 * tried twice, as regular expressions in JavaScript do.
 */

/** Code points; `ANY` for a question mark. */
type Segment = readonly number[]

/** The segments of a pattern, with a star between each two; at least one, perhaps an empty one. */
export type ShellPattern = readonly Segment[]

const ANY = -1

const REFERENCE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu

/** Go's dot, which BuildKit's wildcards become, stops at line ends. */
const LINE_FEED = 10

/**
 * A pattern that matches the reverse of what `pattern` matches. A backslash stays in front of what it
 * escapes; one at the end, which escapes nothing, gets something to escape.
 */
export function reversePattern(pattern: string): string {
  const parts = pattern.match(/\\.|./gsu) ?? []
  return parts.reverse().join('')
}

/** Reads a pattern. @throws {SyntaxError} for a backslash in front of the wrong character */
export function parseShellPattern(pattern: string): ShellPattern {
  let segment: number[] = []
  const segments = [segment]
  const chars = [...pattern]
  // As at the beginning of a word.
  if (chars[0] === '\ufeff') chars.shift()
  for (let index = 0; index < chars.length; index++) {
    const char = chars[index] ?? ''
    if (char === '*') {
      segment = []
      segments.push(segment)
    } else if (char === '?') segment.push(ANY)
    else if (char !== '\\') segment.push(codeOf(char))
    else {
      const escaped = chars[++index] ?? '\ufffd'
      if (!'*?\\}/'.includes(escaped)) throw new SyntaxError(`invalid escape '\\${escaped}'`)
      segment.push(codeOf(escaped))
    }
  }
  return segments
}

/** The budget of character comparisons of one word. */
export class Budget {
  #left: number

  constructor(steps: number) {
    this.#left = steps
  }

  /** @throws {RangeError} when it is used up */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new RangeError('pattern matching takes too long')
  }
}

interface Trim {
  readonly side: 'start' | 'end'
  readonly extent: 'shortest' | 'longest'
  readonly budget: Budget
}

/**
 * `value` without what the pattern matches at one side; at the end, `pattern` is a reversed one.
 * @throws {RangeError} over budget
 */
export function trimPattern(value: string, pattern: ShellPattern, trim: Trim): string {
  const { side, extent, budget } = trim
  if (value === '') return value
  const codes = codesOf(value, budget)
  if (side === 'start') {
    const end = new Matcher(codes, pattern, budget).endFrom(0, extent)
    return end < 0 ? value : textOf(codes, end, codes.length)
  }
  const end = new Matcher(codes.toReversed(), pattern, budget).endFrom(0, extent)
  return end < 0 ? value : textOf(codes, 0, codes.length - end)
}

interface Replacement {
  readonly text: string
  readonly times: 'first' | 'all'
  readonly budget: Budget
  /** Characters of the result, at most. */
  readonly limit: number
}

/**
 * `value` with the pattern's matches replaced: each begins as early and ends as late as it can. Where
 * all are, a `$0` or `${0}` in the text stands for the match, as in Go.
 * @throws {RangeError} over budget or limit
 */
export function replacePattern(
  value: string,
  pattern: ShellPattern,
  { text, times, budget, limit }: Replacement,
): string {
  const codes = codesOf(value, budget)
  const matcher = new Matcher(codes, pattern, budget)
  const parts = times === 'all' ? parseTemplate(text) : [text]
  let result = ''
  let kept = 0
  for (let from = 0; from <= codes.length; ) {
    const match = matcher.next(from)
    if (match === undefined) break
    const { start, end } = match
    from = Math.max(end, start + 1)
    // An empty match right behind another match is none.
    if (end === start && start === kept && start > 0) continue
    const length = text.length + (parts.length - 1) * (end - start)
    if (result.length + length > limit) throw new RangeError('result is too long')
    result += textOf(codes, kept, start) + parts.join(textOf(codes, start, end))
    kept = end
    if (times === 'first') break
  }
  return result + textOf(codes, kept, codes.length)
}

/**
 * The parts of a replacement that stand around its references to the match. A `$name` is a group of
 * the pattern's, and there is none but the match itself; `$$` is a dollar sign.
 */
function parseTemplate(text: string): readonly string[] {
  const parts: string[] = []
  let part = ''
  let end = 0
  for (const { 0: all, 1: plain, 2: braced, index } of text.matchAll(REFERENCE)) {
    part += text.slice(end, index)
    end = index + all.length
    if (all === '$$') part += '$'
    else if ((plain ?? braced) === '0') {
      parts.push(part)
      part = ''
    }
  }
  return [...parts, part + text.slice(end)]
}

/** A search for a pattern in a text. Offsets count code points. */
class Matcher {
  readonly #codes: Uint32Array
  readonly #first: Segment
  readonly #rest: readonly Segment[]
  readonly #budget: Budget

  constructor(codes: Uint32Array, [first = [], ...rest]: ShellPattern, budget: Budget) {
    this.#codes = codes
    this.#first = first
    this.#rest = rest
    this.#budget = budget
  }

  /** Where the match that begins at `start` ends; -1 without one. */
  endFrom(start: number, extent: 'shortest' | 'longest'): number {
    if (!this.#fits(this.#first, start)) return -1
    let end = start + this.#first.length
    for (const [index, segment] of this.#rest.entries()) {
      const isLast = extent === 'longest' && index === this.#rest.length - 1
      const found = isLast ? this.#lastIn(segment, end) : this.#firstIn(segment, end)
      if (found < 0) return -1
      end = found + segment.length
    }
    return end
  }

  /** The longest match of those that begin earliest, at `from` or behind it. */
  next(from: number): { readonly start: number; readonly end: number } | undefined {
    const last = this.#codes.length - this.#first.length
    for (let start = from; start <= last; start++) {
      if (!this.#fits(this.#first, start)) continue
      const end = this.endFrom(start, 'longest')
      if (end >= 0) return { start, end }
      // What failed here fails wherever the first star begins in the same line.
      start = Math.max(start, this.#lineEnd(start + this.#first.length) - this.#first.length)
    }
    return undefined
  }

  /** The first place for a segment behind a star that begins at `from`; -1 without one. */
  #firstIn(segment: Segment, from: number): number {
    for (let start = from; start <= this.#codes.length; start++) {
      if (this.#fits(segment, start)) return start
      if (this.#codes[start] === LINE_FEED) return -1
    }
    return -1
  }

  #lastIn(segment: Segment, from: number): number {
    for (let start = this.#lineEnd(from); start >= from; start--) {
      if (this.#fits(segment, start)) return start
    }
    return -1
  }

  #lineEnd(from: number): number {
    const found = this.#codes.indexOf(LINE_FEED, from)
    const end = found < 0 ? this.#codes.length : found
    this.#budget.spend(end - from)
    return end
  }

  #fits(segment: Segment, start: number): boolean {
    let index = 0
    for (; index < segment.length; index++) {
      const code = this.#codes[start + index]
      const wanted = segment[index]
      if (wanted === ANY ? code === LINE_FEED || code === undefined : code !== wanted) break
    }
    this.#budget.spend(index + 1)
    return index === segment.length
  }
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0
}

function codesOf(text: string, budget: Budget): Uint32Array {
  budget.spend(text.length)
  const codes = new Uint32Array(text.length)
  let count = 0
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.codePointAt(offset) ?? 0
    if (code > 0xffff) offset++
    codes[count++] = code
  }
  return codes.subarray(0, count)
}

function textOf(codes: Uint32Array, start: number, end: number): string {
  let text = ''
  for (let offset = start; offset < end; offset += 4096) {
    text += String.fromCodePoint(...codes.subarray(offset, Math.min(end, offset + 4096)))
  }
  return text
}
