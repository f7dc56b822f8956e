import type { Bytes } from './content.ts'

/** One of two consumers' view of bytes. */
export interface BytesBranch extends AsyncIterableIterator<Uint8Array, void> {
  /** Leaves the bytes that were not taken yet to the other consumer; idempotent. */
  return(): Promise<IteratorResult<Uint8Array, void>>
}

/**
 * The same bytes for two consumers, at the pace of the slower one. A failure reaches both. A consumer that
 * stops early must call `return`, as `for await` does: the other one waits for it.
 */
export function splitBytes(bytes: Bytes): readonly [BytesBranch, BytesBranch] {
  const split = new Split(bytes)
  return [new Branch(split), new Branch(split)]
}

type Step = IteratorResult<Uint8Array, void>

/** Reads a chunk when all consumers that are left want the next one. */
class Split {
  readonly #source: AsyncIterator<Uint8Array, void>
  #consumers = 2
  #waiting = 0
  #step = Promise.withResolvers<Step>()

  constructor(bytes: Bytes) {
    this.#source = bytes[Symbol.asyncIterator]()
  }

  next(): Promise<Step> {
    const { promise } = this.#step
    this.#waiting += 1
    this.#readIfWanted()
    return promise
  }

  async leave(): Promise<void> {
    this.#consumers -= 1
    if (this.#consumers === 0) await this.#source.return?.()
    else this.#readIfWanted()
  }

  #readIfWanted(): void {
    if (this.#waiting === 0 || this.#waiting < this.#consumers) return
    const { resolve } = this.#step
    this.#step = Promise.withResolvers()
    this.#waiting = 0
    resolve(this.#source.next())
  }
}

class Branch implements BytesBranch {
  readonly #split: Split
  #hasEnded = false

  constructor(split: Split) {
    this.#split = split
  }

  async next(): Promise<Step> {
    if (this.#hasEnded) return { done: true, value: undefined }
    return this.#split.next()
  }

  async return(): Promise<Step> {
    if (!this.#hasEnded) {
      this.#hasEnded = true
      await this.#split.leave()
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
