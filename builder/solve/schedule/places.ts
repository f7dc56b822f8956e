/** A number of places that work takes, first come, first served. The number may change at any time. */
export class Places {
  readonly #waiting: (() => void)[] = []
  #count: number
  #taken = 0

  constructor(count: number) {
    this.#count = count
  }

  get count(): number {
    return this.#count
  }

  /** Fewer places end nothing: what has one keeps it. */
  set count(count: number) {
    this.#count = count
    this.#fill()
  }

  /** How many are taken, which may be more than there are. */
  get taken(): number {
    return this.#taken
  }

  /** How much work waits for a place. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Does work in a place of its own, once it has one. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      this.#fill()
    })
    try {
      return await work()
    } finally {
      this.#taken -= 1
      this.#fill()
    }
  }

  #fill(): void {
    while (this.#taken < this.#count) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#taken += 1
      next()
    }
  }
}
