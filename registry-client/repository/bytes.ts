import type { Bytes } from '#core'

/** Opens the same bytes again for each attempt. */
export type OpenBytes = () => Bytes | Promise<Bytes>

/** Opens only when the first byte is wanted, so that bytes nobody asks for are never opened. */
export async function* lazily(open: OpenBytes): AsyncGenerator<Uint8Array, void, undefined> {
  yield* await open()
}

/** Passes the last chunk on only after `bytes` has ended well: what fails its check stays incomplete. */
export async function* withholdingLast(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  let last: Uint8Array | undefined
  for await (const chunk of bytes) {
    if (last !== undefined) yield last
    last = chunk
  }
  if (last !== undefined) yield last
}

/** Tells how many bytes have passed so far. */
export async function* counting(
  bytes: Bytes,
  onBytes: (total: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0
  for await (const chunk of bytes) {
    total += chunk.length
    yield chunk
    onBytes(total)
  }
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

/**
 * Remembers why its source failed, so that a failure of the source is told from one of the network.
 */
export class SourceWatch {
  readonly #open: OpenBytes
  /** Set once the source has thrown. */
  failure: { readonly error: unknown } | undefined

  constructor(open: OpenBytes) {
    this.#open = open
  }

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
