/** Bytes after which a broken transfer counts as the first failure again. */
const PROGRESS = 1024 * 1024

/** What went wrong with one transfer so far: failures without progress in between are bounded. */
export class Failures {
  readonly #attempts: number
  readonly #kinds = new Map<string, number>()
  #farthest = 0

  /** @param attempts the most for all kinds of failures together */
  constructor(attempts: number) {
    this.#attempts = attempts
  }

  /** Failures since the last progress. */
  get count(): number {
    return this.#kinds.values().reduce((sum, count) => sum + count, 0)
  }

  /**
   * Counts a failure of a transfer that came to `offset`: only what was never reached before is progress.
   * @param attempts how often this kind is worth one, the first included
   * @returns whether another attempt is due
   */
  add(kind: string, attempts: number, offset: number): boolean {
    if (offset - this.#farthest >= PROGRESS) {
      this.#kinds.clear()
      this.#farthest = offset
    }
    const ofKind = (this.#kinds.get(kind) ?? 0) + 1
    this.#kinds.set(kind, ofKind)
    return ofKind < attempts && this.count < this.#attempts
  }
}
