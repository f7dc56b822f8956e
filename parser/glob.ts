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

/** Rounds are counted in 32 bits. */
const MAX_ROUND = 2 ** 31

/** The steps that are possible at one point of the text. Can be used again with `start`. */
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
    this.#active.length = 0
    if (this.#round > MAX_ROUND) {
      this.#round = 0
      this.#seen.fill(0)
    }
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

/** Leaves the cursor where `text` is read, or where nothing more can match. */
export function readText(cursor: Cursor, text: string): void {
  cursor.start()
  for (let offset = 0; offset < text.length && (cursor.size > 0 || cursor.isMatch); offset++) {
    const code = text.codePointAt(offset) ?? 0
    if (code > 0xffff) offset++
    cursor.read(code)
  }
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
