/** Numbers from 0, of which each is taken by one at a time. */
export class NumberPool {
  readonly #taken = new Set<number>()
  #least = 0

  /** Whether none is taken. */
  get isEmpty(): boolean {
    return this.#taken.size === 0
  }

  /** The least that is free. */
  take(): number {
    while (this.#taken.has(this.#least)) this.#least++
    this.#taken.add(this.#least)
    return this.#least
  }

  giveBack(number: number): void {
    this.#taken.delete(number)
    this.#least = Math.min(this.#least, number)
  }
}
