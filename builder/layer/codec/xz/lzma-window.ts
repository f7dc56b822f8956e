import { CodecError } from '../bytes/codec-error.ts'

/** At most this much is unpacked between two calls of `take`. */
const CHUNK = 1 << 21
const FIRST_CAPACITY = 1 << 22

/** The bytes that were unpacked last, to copy from. It grows as it is filled, since few files need all. */
export class Window {
  #size = 0
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #at = 0
  /** Where what may be copied from begins. */
  #base = 0
  #taken = 0

  /**
   * Begins a block with nothing to copy from. The memory is reused: a file may have many short blocks.
   * @param size how far back copies may reach, in bytes
   */
  begin(size: number): void {
    this.#size = size
    this.#at = 0
    this.#base = 0
    this.#taken = 0
  }

  /** Bytes that can be copied from. */
  get filled(): number {
    return Math.min(this.#at - this.#base, this.#size)
  }

  /** Drops everything that could be copied from. */
  reset(): void {
    this.#base = this.#at
  }

  /** The byte `distance` back; 1 is the last one, 0 when there is none. */
  byteAt(distance: number): number {
    return distance > this.filled ? 0 : (this.#bytes[this.#at - distance] ?? 0)
  }

  put(byte: number): void {
    this.#bytes[this.#at++] = byte
  }

  putAll(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** Puts `length` bytes that are `distance` back; they may overlap. @throws {CodecError} */
  repeat(distance: number, length: number): void {
    if (distance > this.filled) throw new CodecError('a distance leads out of the file')
    const bytes = this.#bytes
    let from = this.#at - distance
    let to = this.#at
    for (const end = to + length; to < end; ) bytes[to++] = bytes[from++] ?? 0
    this.#at = to
  }

  /** Makes room for the next chunk. */
  prepare(): void {
    if (this.#at + CHUNK <= this.#bytes.length) return
    const kept = Math.min(this.#at, this.#size)
    const start = this.#at - kept
    // Kept bytes move to the front: the larger the window, the less often.
    const most = this.#size + Math.max(2 * CHUNK, Math.ceil(this.#size / 8))
    const wanted = Math.min(this.#bytes.length * 2, most)
    const isLarge = this.#bytes.length >= most
    if (isLarge) this.#bytes.copyWithin(0, start, this.#at)
    else {
      const larger = new Uint8Array(Math.max(wanted, kept + CHUNK))
      larger.set(this.#bytes.subarray(start, this.#at))
      this.#bytes = larger
    }
    this.#at = kept
    this.#taken = kept
    this.#base = Math.max(0, this.#base - start)
  }

  /** A copy of what was put since the last call. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(this.#taken, this.#at)
    this.#taken = this.#at
    return taken
  }
}
