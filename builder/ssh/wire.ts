import { Buffer } from 'node:buffer'

/** Thrown for bytes that end too early. */
export class WireError extends Error {}

/** Reads the data types of SSH from their start. Spec: RFC 4251 section 5 */
export class WireReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new WireError('it ends too early')
    const taken = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }

  uint32(): number {
    return this.take(4).readUInt32BE()
  }

  string(): Buffer {
    return this.take(this.uint32())
  }

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

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function wireString(value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([wireUint32(bytes.length), bytes])
}

/** @param value big-endian, not negative */
export function wireInteger(value: Uint8Array): Buffer {
  const first = value.findIndex((byte) => byte !== 0)
  const bytes = first < 0 ? new Uint8Array() : value.subarray(first)
  const [top = 0] = bytes
  return wireString(top >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}
