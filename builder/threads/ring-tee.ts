import type { Bytes } from '#core'
import { type Ring, RingWriter } from './ring.ts'

/**
 * Passes bytes on, and copies of them through a ring, at the pace of the slower receiver. Once the ring is
 * broken, they are only passed on. Ends the ring when all bytes have come; where they fail, the caller
 * breaks it. One thread may be both ends: nothing blocks.
 * @throws what `bytes` fail with
 */
export async function* teeIntoRing(
  bytes: Bytes,
  ring: Ring,
): AsyncGenerator<Uint8Array, void, undefined> {
  const end = new RingEnd(ring)
  for await (const chunk of bytes) {
    await end.write(chunk)
    yield chunk
  }
  await end.close()
}

/** Gathers pieces to whole slots. */
class RingEnd {
  readonly #writer: RingWriter
  #slot: Buffer | undefined
  #used = 0

  constructor(ring: Ring) {
    this.#writer = new RingWriter(ring)
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#slot ??= await this.#writer.nextSlot()
      if (this.#slot === undefined) return
      const piece = chunk.subarray(at, at + this.#slot.length - this.#used)
      this.#slot.set(piece, this.#used)
      this.#used += piece.length
      at += piece.length
      if (this.#used === this.#slot.length) this.#pass()
    }
  }

  async close(): Promise<void> {
    if (this.#used > 0) this.#pass()
    this.#slot ??= await this.#writer.nextSlot()
    if (this.#slot !== undefined) this.#writer.end()
  }

  #pass(): void {
    this.#writer.pass(this.#used)
    this.#slot = undefined
    this.#used = 0
  }
}
