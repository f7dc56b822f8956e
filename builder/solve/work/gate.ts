/** Lets any number of tasks run side by side, or one piece of work alone. */
export class Gate {
  #tasks = 0
  #idle = Promise.withResolvers<void>()
  #alone: Promise<void> | undefined

  /** Performs a task once nothing is done alone. */
  async pass<T>(task: () => Promise<T>): Promise<T> {
    while (this.#alone !== undefined) await this.#alone
    this.#tasks += 1
    try {
      return await task()
    } finally {
      this.#tasks -= 1
      if (this.#tasks === 0) {
        this.#idle.resolve()
        this.#idle = Promise.withResolvers()
      }
    }
  }

  /**
   * Performs work while no task runs. Tasks that come while it waits for others go first: one may be what
   * another one waits for.
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone !== undefined || this.#tasks > 0) await (this.#alone ?? this.#idle.promise)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#alone = promise
    try {
      return await work()
    } finally {
      this.#alone = undefined
      resolve()
    }
  }
}
