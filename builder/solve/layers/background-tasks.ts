/** Work that goes on whether or not somebody waits for it: who asks for a promise hears of its failure. */
export class Underway {
  readonly #work = new Set<Promise<void>>()

  add<T>(work: Promise<T>): Promise<T> {
    const forget = (): void => void this.#work.delete(ended)
    const ended: Promise<void> = work.then(forget, forget)
    this.#work.add(ended)
    return work
  }

  /** Waits until nothing is left, of what is under way now and what that brings. */
  async ended(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }
}
