/** Wakes all who wait for it, each time something has changed. */
export class Pulse {
  readonly #waiting = new Set<() => void>()
  #beats = 0

  /** How often it has beaten. */
  get beats(): number {
    return this.#beats
  }

  beat(): void {
    this.#beats++
    for (const wake of this.#waiting) wake()
  }

  /** Until it has beaten more than `beats` times, or `signal` aborts. */
  wait(beats: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      if (this.#beats > beats || signal?.aborted === true) return resolve()
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }
}
