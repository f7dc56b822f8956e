import { CodecError } from '../bytes/codec-error.ts'
import { probabilities, RangeDecoder } from './lzma-range.ts'
import type { Window } from './lzma-window.ts'

const STATES = 12
const POSITION_STATES = 16
const MIN_MATCH = 2
/** States below this one follow a literal. */
const LITERAL_STATES = 7
const LITERAL_SIZE = 0x300
const LENGTH_CLASSES = 4
const SLOTS = 64
const FIRST_MODEL_SLOT = 4
const END_MODEL_SLOT = 14
const ALIGN_BITS = 4

/** How literals and positions select probabilities, from one byte. */
export interface LzmaProperties {
  readonly literalContext: number
  readonly literalPosition: number
  readonly position: number
}

/** Decodes the byte of properties. @throws {CodecError} when it is out of range */
export function lzmaProperties(byte: number): LzmaProperties {
  const literalContext = byte % 9
  const literalPosition = Math.floor(byte / 9) % 5
  const position = Math.floor(byte / 45)
  if (position > 4 || literalContext + literalPosition > 4) {
    throw new CodecError('its properties are out of range')
  }
  return { literalContext, literalPosition, position }
}

/** Lengths of copies, with their own probabilities. */
class LengthDecoder {
  readonly #choice = probabilities(2)
  readonly #low = probabilities(POSITION_STATES << 3)
  readonly #middle = probabilities(POSITION_STATES << 3)
  readonly #high = probabilities(1 << 8)

  read(range: RangeDecoder, positionState: number): number {
    if (range.bit(this.#choice, 0) === 0) return range.tree(this.#low, positionState << 3, 3)
    if (range.bit(this.#choice, 1) === 0) return 8 + range.tree(this.#middle, positionState << 3, 3)
    return 16 + range.tree(this.#high, 0, 8)
  }
}

/** Unpacks chunks of LZMA into a window. Spec: LZMA SDK, lzma-specification.txt */
export class LzmaDecoder {
  readonly #range = new RangeDecoder()
  readonly #literalContext: number
  readonly #literalMask: number
  readonly #positionMask: number
  readonly #literals: Uint16Array
  readonly #isMatch = probabilities(STATES * POSITION_STATES)
  readonly #isRepeat = probabilities(STATES)
  readonly #isRepeat0 = probabilities(STATES)
  readonly #isRepeat1 = probabilities(STATES)
  readonly #isRepeat2 = probabilities(STATES)
  readonly #isLongRepeat0 = probabilities(STATES * POSITION_STATES)
  readonly #slots = probabilities(LENGTH_CLASSES * SLOTS)
  readonly #special = probabilities(115)
  readonly #align = probabilities(1 << ALIGN_BITS)
  readonly #matchLength = new LengthDecoder()
  readonly #repeatLength = new LengthDecoder()
  /** Distances of the last four copies, 1 and more. */
  #repeat0 = 1
  #repeat1 = 1
  #repeat2 = 1
  #repeat3 = 1
  #state = 0

  constructor({ literalContext, literalPosition, position }: LzmaProperties) {
    this.#literalContext = literalContext
    this.#literalMask = (1 << literalPosition) - 1
    this.#positionMask = (1 << position) - 1
    this.#literals = probabilities(LITERAL_SIZE << (literalContext + literalPosition))
  }

  /**
   * Unpacks one chunk of known size.
   * @param position how many bytes came before it since the window was reset
   * @throws {CodecError} unless exactly all of `bytes` give exactly `size` bytes
   */
  decode(bytes: Uint8Array, window: Window, { size, position }: ChunkPosition): void {
    const range = this.#range
    range.start(bytes)
    for (let at = 0; at < size; ) {
      const positionState = (position + at) & this.#positionMask
      const index = this.#state * POSITION_STATES + positionState
      if (range.bit(this.#isMatch, index) === 0) {
        this.#readLiteral(window, position + at)
        at++
        continue
      }
      const length = this.#readCopy(positionState)
      if (length > size - at) throw new CodecError('a copy leads out of its chunk')
      window.repeat(this.#repeat0, length)
      at += length
    }
    range.finish()
    if (!range.isFinished) throw new CodecError('a chunk has another length')
  }

  #readLiteral(window: Window, position: number): void {
    const range = this.#range
    const literals = this.#literals
    const high = window.byteAt(1) >>> (8 - this.#literalContext)
    const start = LITERAL_SIZE * (((position & this.#literalMask) << this.#literalContext) + high)
    let symbol = 1
    if (this.#state >= LITERAL_STATES) {
      // After a copy, the byte that would have continued it is unlikely: it selects the probabilities.
      let guess = window.byteAt(this.#repeat0)
      while (symbol < 0x100) {
        const expected = (guess >>> 7) & 1
        guess <<= 1
        const bit = range.bit(literals, start + ((1 + expected) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (bit !== expected) break
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | range.bit(literals, start + symbol)
    window.put(symbol & 0xff)
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
  }

  /** @returns the length; the distance becomes the first of the repeated ones */
  #readCopy(positionState: number): number {
    const range = this.#range
    const state = this.#state
    const afterLiteral = state < LITERAL_STATES
    if (range.bit(this.#isRepeat, state) === 0) {
      const length = this.#matchLength.read(range, positionState)
      this.#state = afterLiteral ? 7 : 10
      this.#repeat3 = this.#repeat2
      this.#repeat2 = this.#repeat1
      this.#repeat1 = this.#repeat0
      this.#repeat0 = this.#readDistance(length)
      return length + MIN_MATCH
    }
    if (range.bit(this.#isRepeat0, state) === 0) {
      if (range.bit(this.#isLongRepeat0, state * POSITION_STATES + positionState) === 0) {
        this.#state = afterLiteral ? 9 : 11
        return 1
      }
    } else this.#moveRepeat(state)
    this.#state = afterLiteral ? 8 : 11
    return this.#repeatLength.read(range, positionState) + MIN_MATCH
  }

  #moveRepeat(state: number): void {
    let distance = this.#repeat1
    if (this.#range.bit(this.#isRepeat1, state) === 1) {
      if (this.#range.bit(this.#isRepeat2, state) === 0) distance = this.#repeat2
      else {
        distance = this.#repeat3
        this.#repeat3 = this.#repeat2
      }
      this.#repeat2 = this.#repeat1
    }
    this.#repeat1 = this.#repeat0
    this.#repeat0 = distance
  }

  #readDistance(length: number): number {
    const range = this.#range
    const lengthClass = Math.min(length, LENGTH_CLASSES - 1)
    const slot = range.tree(this.#slots, lengthClass * SLOTS, 6)
    if (slot < FIRST_MODEL_SLOT) return slot + 1
    const bits = (slot >>> 1) - 1
    const base = ((2 | (slot & 1)) << bits) >>> 0
    if (slot < END_MODEL_SLOT) {
      return base + range.reverseTree(this.#special, base - slot, bits) + 1
    }
    const upper = range.direct(bits - ALIGN_BITS) * (1 << ALIGN_BITS)
    return base + upper + range.reverseTree(this.#align, 0, ALIGN_BITS) + 1
  }
}

/** The size of a chunk and its position in the window. */
export interface ChunkPosition {
  /** Bytes that come out. */
  readonly size: number
  readonly position: number
}
