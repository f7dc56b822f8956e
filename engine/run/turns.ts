/** Lets one at a time use what has a name. */
export class Turns {
  readonly #taken = new Map<string, Promise<void>>()

  /** Waits for the turn, which ends when the result is disposed of. */
  async take(name: string): Promise<Disposable> {
    for (;;) {
      const turn = this.tryTake(name)
      if (turn !== undefined) return turn
      await this.#taken.get(name)
    }
  }

  /** The turn, where nobody else has it. */
  tryTake(name: string): Disposable | undefined {
    if (this.#taken.has(name)) return undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#taken.set(name, promise)
    return {
      [Symbol.dispose]: () => {
        this.#taken.delete(name)
        resolve()
      },
    }
  }
}
