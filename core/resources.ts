/**
 * Open resources, which are closed in reverse order. Node has `AsyncDisposableStack` for this, but only
 * since version 24.
 */
export class Resources implements AsyncDisposable {
  readonly #opened: (AsyncDisposable | Disposable)[] = []

  /** Takes over `resource`, and gives it back. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.#opened.push(resource)
    return resource
  }

  /** Hands everything over to another holder. */
  move(): Resources {
    const moved = new Resources()
    moved.#opened.push(...this.#opened.splice(0))
    return moved
  }

  /** Closes everything, also after a failure. @throws the first failure */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (let one = this.#opened.pop(); one !== undefined; one = this.#opened.pop()) {
      try {
        if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]()
        else one[Symbol.dispose]()
      } catch (cause) {
        failures.push(cause)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
