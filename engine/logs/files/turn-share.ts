/** Milliseconds of work on logs in one turn of the event loop. */
const SHARE = 8

/**
 * The part of each turn of the event loop that logs may have: with many containers that print much, all of them would be
 * ready in the same turn, and everything else would wait for all of them.
 */
class TurnShare {
  readonly #waiting: (() => void)[] = []
  #used = 0
  #isNextAsked = false

  /** Does work that blocks, in a turn that has time left. */
  async use<T>(work: () => T): Promise<T> {
    if (this.#used >= SHARE || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
    const start = performance.now()
    try {
      return work()
    } finally {
      this.#used += performance.now() - start
      this.#askNext()
      if (this.#used < SHARE) this.#waiting.shift()?.()
    }
  }

  #askNext(): void {
    if (this.#isNextAsked) return
    this.#isNextAsked = true
    setImmediate(() => {
      this.#isNextAsked = false
      this.#used = 0
      const first = this.#waiting.shift()
      if (first === undefined) return
      this.#askNext()
      first()
    })
  }
}

/** Of the one event loop that there is. */
export const TURN_SHARE: TurnShare = new TurnShare()
