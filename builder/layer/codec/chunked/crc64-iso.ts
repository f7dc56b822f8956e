/** The upper half of x⁶⁴ + x⁴ + x³ + x + 1, reflected; its lower half is 0. */
const POLYNOMIAL = 0xd8000000

/** What so many bits at the lower end of the sum change in its upper half; they leave its lower half. */
function tableOf(bits: 8 | 16): Uint32Array {
  const table = new Uint32Array(2 ** bits)
  for (let index = 0; index < table.length; index++) {
    let [low, high] = [index, 0]
    for (let bit = 0; bit < bits; bit++) {
      const carry = low & 1
      low >>>= 1
      high >>>= 1
      if (carry === 1) high ^= POLYNOMIAL
    }
    table[index] = high
  }
  return table
}

const BY_BYTE = tableOf(8)
const BY_TWO = tableOf(16)

/** The checksum of files in tar-split's records. Spec: ISO 3309, as Go's hash/crc64 has it */
export class Crc64Iso {
  #low = 0xffffffff
  #high = 0xffffffff

  /** Four bytes at a time: what they change does not reach the next two that are looked up. */
  update(bytes: Uint8Array): void {
    const whole = bytes.length & ~3
    let low = this.#low
    let high = this.#high
    for (let at = 0; at < whole; at += 4) {
      const first = (low ^ ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8))) & 0xffff
      const second = (low >>> 16) ^ ((bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8))
      const changed = BY_TWO[first] ?? 0
      low = high ^ (changed << 16)
      high = (changed >>> 16) ^ (BY_TWO[second] ?? 0)
    }
    for (let at = whole; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff
      low = (low >>> 8) | (high << 24)
      high = (high >>> 8) ^ (BY_BYTE[index] ?? 0)
    }
    this.#low = low
    this.#high = high
  }

  /** Eight bytes, the highest first. */
  digest(): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(~this.#high >>> 0, 0)
    bytes.writeUInt32BE(~this.#low >>> 0, 4)
    return bytes
  }
}
