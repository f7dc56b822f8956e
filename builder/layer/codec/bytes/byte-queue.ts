import { Buffer } from 'node:buffer'
import type { Bytes } from '#core'

const NOTHING: Uint8Array = new Uint8Array(0)

/** A stream of bytes that is read in pieces of any size. */
export class ByteQueue implements AsyncDisposable {
  readonly #iterator: AsyncIterator<Uint8Array>
  #ready: Uint8Array = NOTHING
  #isEnded = false

  constructor(bytes: Bytes) {
    this.#iterator = bytes[Symbol.asyncIterator]()
  }

  /** The next bytes, `size` or more of them; fewer only at the end. They stay in the queue. */
  async peek(size: number): Promise<Uint8Array> {
    const chunks = [this.#ready]
    let length = this.#ready.length
    while (length < size && !this.#isEnded) {
      const next = await this.#iterator.next()
      if (next.done === true) this.#isEnded = true
      else {
        chunks.push(next.value)
        length += next.value.length
      }
    }
    if (chunks.length > 1) this.#ready = Buffer.concat(chunks, length)
    return this.#ready
  }

  /** Exactly `size` bytes, which leave the queue; `undefined` when there are not so many. */
  async take(size: number): Promise<Uint8Array | undefined> {
    const ready = await this.peek(size)
    if (ready.length < size) return undefined
    this.skip(size)
    return ready.subarray(0, size)
  }

  /** Drops bytes that were peeked at. */
  skip(size: number): void {
    this.#ready = this.#ready.subarray(size)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.()
  }
}
