/** Something that another process, or another step of this one, has. */
export interface Wait {
  /** `process 4711, which does the same: [2/3] RUN make`, say. */
  readonly reason: string
  /** When it is to be had; rejects when it is given up. */
  readonly ended: Promise<void>
}

/** Gets waits as they begin. */
export type OnWait = (wait: Wait) => void

/** Reports one wait, once it is clear that there is one. */
export class Waiting {
  readonly #onWait: OnWait | undefined
  #ended: PromiseWithResolvers<void> | undefined

  constructor(onWait: OnWait | undefined) {
    this.#onWait = onWait
  }

  /** Reports the wait and its reason; later calls report nothing. */
  begin(reason: string): void {
    if (this.#ended !== undefined || this.#onWait === undefined) return
    this.#ended = Promise.withResolvers()
    // A rejection reaches those that await the thing itself.
    this.#ended.promise.catch(() => undefined)
    this.#onWait({ reason, ended: this.#ended.promise })
  }

  /** Runs `take`; the wait ends with it. */
  async during<T>(take: () => Promise<T>): Promise<T> {
    try {
      const taken = await take()
      this.#ended?.resolve()
      return taken
    } catch (cause) {
      this.#ended?.reject(cause)
      throw cause
    }
  }
}
