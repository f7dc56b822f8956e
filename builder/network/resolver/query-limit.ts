/** Questions that are answered at a time. */
const MAX_QUERIES = 512
/** Of one client, so that others are answered while it floods. */
const MAX_OF_CLIENT = 128

/** Counts the questions that are being answered. */
export class QueryLimit {
  readonly #counts = new Map<string, number>()
  #total = 0

  /** A place for one question of a client, until it is disposed of; `undefined` when all are taken. */
  take(client: string): Disposable | undefined {
    const count = this.#counts.get(client) ?? 0
    if (this.#total >= MAX_QUERIES || count >= MAX_OF_CLIENT) return undefined
    this.#add(client, 1)
    return { [Symbol.dispose]: () => this.#add(client, -1) }
  }

  #add(client: string, change: number): void {
    this.#total += change
    const count = (this.#counts.get(client) ?? 0) + change
    if (count === 0) this.#counts.delete(client)
    else this.#counts.set(client, count)
  }
}
