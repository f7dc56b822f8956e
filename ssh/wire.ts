import { Buffer } from 'node:buffer'

/** Reads the data types of SSH from their start. Spec: RFC 4251 section 5 */
export class WireReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** The next `length` bytes. @throws {Error} when there are fewer */
  take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new Error('it ends too early')
    const taken = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }

  /** Four bytes, big-endian. */
  uint32(): number {
    return this.take(4).readUInt32BE()
  }

  /** Bytes with their length in front. */
  string(): Buffer {
    return this.take(this.uint32())
  }

  /** A string as UTF-8. */
  text(): string {
    return this.string().toString('utf8')
  }

  /** An integer that is not negative, without leading zeros. */
  integer(): Buffer {
    const bytes = this.string()
    const first = bytes.findIndex((byte) => byte !== 0)
    return first < 0 ? Buffer.alloc(0) : bytes.subarray(first)
  }
}

/** Four bytes, big-endian. */
export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Bytes with their length in front. */
export function wireString(value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([wireUint32(bytes.length), bytes])
}

/**
 * An integer with a zero byte in front where its first bit is set.
 * @param value big-endian, not negative
 */
export function wireInteger(value: Uint8Array): Buffer {
  const first = value.findIndex((byte) => byte !== 0)
  const bytes = first < 0 ? new Uint8Array() : value.subarray(first)
  const [top = 0] = bytes
  return wireString(top >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}
