/** Something that another process, or another step of this one, has. */
export interface Wait {
  /** `process 4711, which does the same: [2/3] RUN make`, say. */
  readonly reason: string
  /** When it is to be had; rejects when it is given up. */
  readonly ended: Promise<void>
}

export type OnWait = (wait: Wait) => void

/** Tells of one wait, once it is clear that there is one. */
export class Waiting {
  readonly #onWait: OnWait | undefined
  #ended: PromiseWithResolvers<void> | undefined

  constructor(onWait: OnWait | undefined) {
    this.#onWait = onWait
  }

  /** It has to be waited for `reason`; what is said again is not told again. */
  begin(reason: string): void {
    if (this.#ended !== undefined || this.#onWait === undefined) return
    this.#ended = Promise.withResolvers()
    // Who asked for the thing itself hears of the failure.
    this.#ended.promise.catch(() => undefined)
    this.#onWait({ reason, ended: this.#ended.promise })
  }

  /** Whatever `take` does while it waits, the wait ends with it. */
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
