/** Thrown when more bits are requested than there are. */
export class EndOfBits extends Error {}

/** Reads bits, the most significant of a byte first. */
export class BitReader {
  readonly #bytes: Uint8Array
  /** Bits that have been read. */
  position: number

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes
    this.position = position
  }

  /** The next `count` bits, at most 24, as a number. @throws {EndOfBits} */
  read(count: number): number {
    const value = this.peek(count)
    this.skip(count)
    return value
  }

  /** The next `count` bits, at most 24, with zeros where there are no more; they stay. */
  peek(count: number): number {
    const bytes = this.#bytes
    const at = this.position >>> 3
    const word =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)
    return (word << (this.position & 7)) >>> (32 - count)
  }

  /** @throws {EndOfBits} */
  skip(count: number): void {
    this.position += count
    if (this.position > this.#bytes.length * 8) throw new EndOfBits()
  }
}
