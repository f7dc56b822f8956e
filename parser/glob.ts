/**
 * Wildcard patterns as a row of steps, matched by keeping the set of steps that are possible so far.
 * The time is bounded by text times pattern, whatever both are: nothing is ever tried twice, as
 * regular expressions in JavaScript do.
 */

export type Test = (code: number) => boolean

export type Step =
  /** Takes one character. */
  | { readonly kind: 'one'; readonly test: Test }
  /** Takes any number of characters. */
  | { readonly kind: 'many'; readonly test: Test }
  /** Takes nothing; the next `length` steps may be left out together. */
  | { readonly kind: 'maybe'; readonly length: number }

/** Where a match ends: numbers of characters (code points), after the first one read. */
export interface Ends {
  readonly shortest: number
  readonly longest: number
}

/** Refuses to go on when two people's patterns and texts together would take too long. */
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

/** The steps that are possible at one point of the text. */
export class Cursor {
  readonly #steps: readonly Step[]
  readonly #seen: Uint32Array
  #round = 0
  #active: number[] = []
  #next: number[] = []
  /** True when what was read so far is a match. */
  isMatch = false

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#seen = new Uint32Array(steps.length + 1)
  }

  /** Number of possible steps; without any, no further text can match. */
  get size(): number {
    return this.#active.length
  }

  /** Begins a match here, and forgets others. */
  start(): void {
    this.#active = []
    this.#round++
    this.isMatch = false
    this.#enter(0, this.#active)
  }

  /** Reads one character. `again` also begins a new match behind it. */
  read(code: number, again: 'again' | 'once' = 'once'): void {
    const next = this.#next
    next.length = 0
    this.#round++
    this.isMatch = false
    for (const index of this.#active) {
      const step = this.#steps[index]
      if (step === undefined || step.kind === 'maybe' || !step.test(code)) continue
      this.#enter(step.kind === 'one' ? index + 1 : index, next)
    }
    if (again === 'again') this.#enter(0, next)
    this.#next = this.#active
    this.#active = next
  }

  /** Adds a step, and those that can be reached from it without reading. */
  #enter(first: number, into: number[]): void {
    for (let index = first; this.#seen[index] !== this.#round; ) {
      this.#seen[index] = this.#round
      const step = this.#steps[index]
      if (step === undefined) {
        this.isMatch = true
        return
      }
      if (step.kind === 'maybe') {
        this.#enter(index + 1, into)
        index += 1 + step.length
        continue
      }
      into.push(index)
      if (step.kind === 'one') return
      index++
    }
  }
}

/** True when the whole text matches. */
export function matchesWhole(steps: readonly Step[], text: string): boolean {
  return cursorAfter(steps, text).isMatch
}

/** The state behind `text`, for questions about what may follow. */
export function cursorAfter(steps: readonly Step[], text: string): Cursor {
  const cursor = new Cursor(steps)
  cursor.start()
  for (const char of text) {
    if (cursor.size === 0 && !cursor.isMatch) break
    cursor.read(char.codePointAt(0) ?? 0)
  }
  return cursor
}

/** The matches that begin at `start`, if there is one. */
export function endsFrom(
  steps: readonly Step[],
  codes: readonly number[],
  { start, budget }: { readonly start: number; readonly budget: Budget },
): Ends | undefined {
  const cursor = new Cursor(steps)
  cursor.start()
  let shortest = cursor.isMatch ? start : -1
  let longest = shortest
  for (let index = start; index < codes.length && cursor.size > 0; index++) {
    budget.spend(cursor.size)
    cursor.read(codes[index] ?? 0)
    if (!cursor.isMatch) continue
    if (shortest < 0) shortest = index + 1
    longest = index + 1
  }
  return shortest < 0 ? undefined : { shortest, longest }
}

/** For every offset whether a match of `steps` ends there that began anywhere before. */
export function endsAnywhere(
  steps: readonly Step[],
  codes: readonly number[],
  budget: Budget,
): readonly boolean[] {
  const cursor = new Cursor(steps)
  cursor.start()
  const ends = [cursor.isMatch]
  for (const code of codes) {
    budget.spend(cursor.size)
    cursor.read(code, 'again')
    ends.push(cursor.isMatch)
  }
  return ends
}
