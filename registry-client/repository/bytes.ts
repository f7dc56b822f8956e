import type { Bytes } from '#core'
import { lazily, type OpenBytes } from '#http'

/**
 * Passes the last chunk on only after `bytes` has ended without an error, so that a receiver never has
 * all bytes of what fails its check.
 */
export async function* withholdingLast(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  let last: Uint8Array | undefined
  for await (const chunk of bytes) {
    if (last !== undefined) yield last
    last = chunk
  }
  if (last !== undefined) yield last
}

/** Drops the first `count` bytes. */
export async function* skipping(
  bytes: Bytes,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count
  for await (const chunk of bytes) {
    const dropped = Math.min(left, chunk.length)
    left -= dropped
    if (dropped < chunk.length) yield chunk.subarray(dropped)
  }
}

/** Hands out bytes in parts, one after the other. */
export class Parts implements AsyncDisposable {
  readonly #bytes: AsyncGenerator<Uint8Array, void>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(bytes: AsyncGenerator<Uint8Array, void>) {
    this.#bytes = bytes
  }

  /** The next `size` bytes, or fewer at the end. */
  async *next(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    let left = size
    while (left > 0) {
      if (this.#rest.length === 0) {
        const step = await this.#bytes.next()
        if (step.done === true) return
        this.#rest = step.value
      }
      const chunk = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(chunk.length)
      left -= chunk.length
      yield chunk
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bytes.return()
  }
}

/** Keeps the error of its source, which tells a failure of the source from one of the network. */
export class SourceWatch {
  readonly #open: OpenBytes
  readonly #onBytes: (count: number) => void
  /** Set once the source has thrown. */
  failure: { readonly error: unknown } | undefined

  /** @param onBytes called with the size of each piece that is taken */
  constructor(open: OpenBytes, onBytes: (count: number) => void) {
    this.#open = open
    this.#onBytes = onBytes
  }

  /** Opens the source and passes its bytes through. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const iterator = lazily(this.#open)
    try {
      for (;;) {
        const step = await this.#next(iterator)
        if (step.done === true) return
        this.#onBytes(step.value.length)
        yield step.value
      }
    } finally {
      await iterator.return()
    }
  }

  async #next(
    iterator: AsyncIterator<Uint8Array, void>,
  ): Promise<IteratorResult<Uint8Array, void>> {
    try {
      return await iterator.next()
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }
}
