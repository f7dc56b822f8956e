import { Buffer } from 'node:buffer'

const NOTHING = Buffer.alloc(0)

/** Copies pieces of any size together to blocks, so that what comes of them does not depend on the pieces. */
export class Gatherer {
  readonly #limit: number
  #block = NOTHING
  #used = 0

  /** @param limit bytes of a full block */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes more; what is full is returned. */
  *add(bytes: Uint8Array): Generator<Buffer, void, undefined> {
    for (let at = 0; at < bytes.length; ) {
      const copied = Math.min(bytes.length - at, this.#limit - this.#used)
      this.#reserve(this.#used + copied)
      this.#block.set(bytes.subarray(at, at + copied), this.#used)
      this.#used += copied
      at += copied
      if (this.#used === this.#limit) yield this.take()
    }
  }

  /** What was gathered since the last full block, which may be nothing. */
  take(): Buffer {
    const taken = this.#block.subarray(0, this.#used)
    this.#block = NOTHING
    this.#used = 0
    return taken
  }

  #reserve(size: number): void {
    if (size <= this.#block.length) return
    const larger = Buffer.allocUnsafeSlow(
      Math.min(this.#limit, Math.max(size, 4 * this.#block.length)),
    )
    larger.set(this.#block.subarray(0, this.#used))
    this.#block = larger
  }
}
