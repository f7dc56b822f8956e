/** How much work is little. */
export interface WorkLimit {
  /** Names that are listed and entries that are looked at, together. */
  readonly looks: number
  /** Of content that is read or written. */
  readonly bytes: number
}

/** Thrown when there is more to do than a limit. */
export class LimitExceeded extends Error {}

/** Counts work, and stops it at a limit. */
export class WorkMeter {
  #looks: number
  #bytes: number

  constructor({ looks, bytes }: WorkLimit) {
    this.#looks = looks
    this.#bytes = bytes
  }

  /** @throws {LimitExceeded} */
  look(count = 1): void {
    this.#looks -= count
    if (this.#looks < 0) throw new LimitExceeded()
  }

  /** @throws {LimitExceeded} */
  read(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes < 0) throw new LimitExceeded()
  }
}
