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

/** Keeps the error of its source, which tells a failure of the source from one of the network. */
export class SourceWatch {
  readonly #open: OpenBytes
  /** Set once the source has thrown. */
  failure: { readonly error: unknown } | undefined

  constructor(open: OpenBytes) {
    this.#open = open
  }

  /** Opens the source and passes its bytes through. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const iterator = lazily(this.#open)
    try {
      for (;;) {
        const step = await this.#next(iterator)
        if (step.done === true) return
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
