import { CodecError } from '../bytes/codec-error.ts'

const TOP_BITS = 24
const MODEL_BITS = 11
const MOVE_BITS = 5
const HALF = 1 << (MODEL_BITS - 1)
const INITIAL_BYTES = 5

/** `count` probabilities of one half each. */
export function probabilities(count: number): Uint16Array {
  return new Uint16Array(count).fill(HALF)
}

/** Turns a comparison of signed numbers into one of unsigned ones. */
const SIGN = 1 << 31

/**
 * Reads bits that were coded by their probabilities, which adapt to each bit. Range and code are
 * unsigned, but kept as signed numbers, because V8 allocates larger numbers on the heap.
 * Spec: LZMA SDK, lzma-specification.txt
 */
export class RangeDecoder {
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #range = 0
  #code = 0

  /** @throws {CodecError} */
  start(bytes: Uint8Array): void {
    if (bytes.length < INITIAL_BYTES || bytes[0] !== 0) throw new CodecError('a chunk is damaged')
    this.#bytes = bytes
    this.#range = -1
    this.#code = 0
    for (let at = 1; at < INITIAL_BYTES; at++) this.#code = (this.#code << 8) | (bytes[at] ?? 0)
    this.#at = INITIAL_BYTES
  }

  /** Whether exactly all bytes have been read. */
  get isFinished(): boolean {
    return this.#code === 0 && this.#at === this.#bytes.length
  }

  /** One bit by the probability at `index`. */
  bit(model: Uint16Array, index: number): 0 | 1 {
    this.#normalize()
    const probability = model[index] ?? 0
    const bound = Math.imul(this.#range >>> MODEL_BITS, probability)
    if ((this.#code ^ SIGN) < (bound ^ SIGN)) {
      this.#range = bound
      model[index] = probability + (((1 << MODEL_BITS) - probability) >>> MOVE_BITS)
      return 0
    }
    this.#range = (this.#range - bound) | 0
    this.#code = (this.#code - bound) | 0
    model[index] = probability - (probability >>> MOVE_BITS)
    return 1
  }

  /** A number of `count` bits, the highest first, by the tree of probabilities at `start`. */
  tree(model: Uint16Array, start: number, count: number): number {
    let symbol = 1
    for (let bit = 0; bit < count; bit++) symbol = (symbol << 1) | this.bit(model, start + symbol)
    return symbol - (1 << count)
  }

  /** The same, the lowest bit first. */
  reverseTree(model: Uint16Array, start: number, count: number): number {
    let node = 1
    let symbol = 0
    for (let index = 0; index < count; index++) {
      const bit = this.bit(model, start + node)
      node = (node << 1) | bit
      symbol |= bit << index
    }
    return symbol
  }

  /** `count` bits of equal probability. */
  direct(count: number): number {
    let result = 0
    for (let index = 0; index < count; index++) {
      this.#normalize()
      this.#range >>>= 1
      const bit = (this.#code ^ SIGN) >= (this.#range ^ SIGN) ? 1 : 0
      if (bit === 1) this.#code = (this.#code - this.#range) | 0
      result = (result << 1) | bit
    }
    return result >>> 0
  }

  /** Reads the byte that is due. Beyond the end zeros are read, and `isFinished` is false. */
  finish(): void {
    this.#normalize()
  }

  #normalize(): void {
    if (this.#range >>> TOP_BITS !== 0) return
    this.#range <<= 8
    this.#code = (this.#code << 8) | (this.#bytes[this.#at] ?? 0)
    this.#at++
  }
}
