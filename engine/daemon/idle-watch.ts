/** Ends a daemon that nobody uses. */
export class IdleWatch implements Disposable {
  readonly #timer: NodeJS.Timeout
  #since = performance.now()

  /**
   * @param limit milliseconds
   * @param isUsed whether something runs, or is to be started again, or somebody is connected
   */
  constructor(limit: number, isUsed: () => boolean, onIdle: () => void) {
    const look = (): void => {
      const now = performance.now()
      if (isUsed()) this.#since = now
      else if (now - this.#since >= limit) onIdle()
    }
    this.#timer = setInterval(look, Math.min(Math.max(limit / 10, 50), 1000))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
