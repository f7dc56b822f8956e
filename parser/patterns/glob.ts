/**
 * Wildcard patterns as a sequence of steps, matched by keeping the set of possible steps (a
 * nondeterministic automaton). The time is bounded by text times pattern for any input, since
 * nothing is tried twice, unlike regular expressions in JavaScript.
 */

/** Whether a step takes the character with this code. */
export type Test = (code: number) => boolean

/** One element of a wildcard pattern. */
export type Step =
  /** Takes one character. */
  | { readonly kind: 'one'; readonly test: Test }
  /** Takes any number of characters. */
  | { readonly kind: 'many'; readonly test: Test }
  /** Takes nothing; the next `length` steps may be left out together. */
  | { readonly kind: 'maybe'; readonly length: number }

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

  /** Begins a match here and drops all others. */
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

  /** Reads one character. */
  read(code: number): void {
    const next = this.#next
    next.length = 0
    this.#round++
    this.isMatch = false
    for (const index of this.#active) {
      const step = this.#steps[index]
      if (step === undefined || step.kind === 'maybe' || !step.test(code)) continue
      this.#enter(step.kind === 'one' ? index + 1 : index, next)
    }
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
