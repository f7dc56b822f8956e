/** More steps than that are forgotten, the oldest first. */
const MOST_SEEN = 10_000

/** What is known of the builds of an engine while it runs. */
export class Builds {
  readonly #running = new Map<string, AbortController>()
  readonly #seen = new Set<string>()

  /** Stops a build by the id that its client gave it. Nothing happens where there is no such build. */
  cancel(id: string): void {
    this.#running.get(id)?.abort()
  }

  /** @param signal of the request. Dispose of it when the build has ended. */
  begin(
    id: string | undefined,
    signal: AbortSignal,
  ): Disposable & { readonly signal: AbortSignal } {
    if (id === undefined) return { signal, [Symbol.dispose]: () => undefined }
    const controller = new AbortController()
    this.#running.set(id, controller)
    return {
      signal: AbortSignal.any([signal, controller.signal]),
      [Symbol.dispose]: () => {
        if (this.#running.get(id) === controller) this.#running.delete(id)
      },
    }
  }

  /** Whether a step that makes no files was done before. From now on it was. */
  meet(step: string): boolean {
    const isKnown = this.#seen.delete(step)
    const [oldest] = this.#seen
    if (this.#seen.size >= MOST_SEEN && oldest !== undefined) this.#seen.delete(oldest)
    this.#seen.add(step)
    return isKnown
  }
}
