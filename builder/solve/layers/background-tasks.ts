/** Work that goes on without being awaited: rejections reach only those who await its promise. */
export class BackgroundTasks {
  readonly #pending = new Set<Promise<void>>()

  /** Adds work that has begun. @returns its promise */
  add<T>(work: Promise<T>): Promise<T> {
    const remove = (): void => void this.#pending.delete(ended)
    const ended: Promise<void> = work.then(remove, remove)
    this.#pending.add(ended)
    return work
  }

  /** Waits until no work is left: neither what is pending now nor what that adds. */
  async ended(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }
}
