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

const DONE: Step = { done: true, value: undefined }

/** Reads a chunk when all consumers that are left want the next one. */
class Split {
  readonly #source: AsyncIterator<Uint8Array, void>
  #consumers = 2
  readonly #waiting = new Map<Branch, (step: Step | Promise<Step>) => void>()

  constructor(bytes: Bytes) {
    this.#source = bytes[Symbol.asyncIterator]()
  }

  next(branch: Branch): Promise<Step> {
    const { promise, resolve } = Promise.withResolvers<Step>()
    this.#waiting.set(branch, resolve)
    this.#readIfWanted()
    return promise
  }

  /** A chunk that the consumer waits for goes to the other one only. */
  async leave(branch: Branch): Promise<void> {
    this.#consumers -= 1
    this.#waiting.get(branch)?.(DONE)
    this.#waiting.delete(branch)
    if (this.#consumers === 0) await this.#source.return?.()
    else this.#readIfWanted()
  }

  #readIfWanted(): void {
    if (this.#waiting.size === 0 || this.#waiting.size < this.#consumers) return
    const step = this.#source.next()
    for (const resolve of this.#waiting.values()) resolve(step)
    this.#waiting.clear()
  }
}

class Branch implements BytesBranch {
  readonly #split: Split
  #hasEnded = false

  constructor(split: Split) {
    this.#split = split
  }

  /** To be called when the step before has come. */
  async next(): Promise<Step> {
    return this.#hasEnded ? DONE : this.#split.next(this)
  }

  async return(): Promise<Step> {
    if (!this.#hasEnded) {
      this.#hasEnded = true
      await this.#split.leave(this)
    }
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
