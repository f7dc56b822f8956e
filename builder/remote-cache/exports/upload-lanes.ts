/** Work of which a few pieces are under way at a time, in the order in which it came. */
export class UploadLanes {
  readonly #waiting: (() => Promise<void>)[] = []
  readonly #most: number
  #running = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Adds work. @returns what it gives, once its turn has come and it has ended */
  add<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push(() => work().then(resolve, reject))
    this.#begin()
    return promise
  }

  #begin(): void {
    if (this.#running >= this.#most) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    this.#running += 1
    void next().finally(() => {
      this.#running -= 1
      this.#begin()
    })
  }
}
