/** ECMA-182, reflected: the lower and the upper half of the polynomial. */
const POLYNOMIAL = [0xd7870f42, 0xc96c5795] as const

const LOW = new Uint32Array(256)
const HIGH = new Uint32Array(256)

for (let byte = 0; byte < 256; byte++) {
  let [low, high] = [byte, 0]
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (carry === 1) {
      low ^= POLYNOMIAL[0]
      high ^= POLYNOMIAL[1]
    }
  }
  LOW[byte] = low
  HIGH[byte] = high
}

/** The checksum that xz writes after its blocks by default. Spec: The .xz File Format 1.2.1, 6 */
export class Crc64 {
  #low = 0xffffffff
  #high = 0xffffffff

  update(bytes: Uint8Array): void {
    let low = this.#low
    let high = this.#high
    for (let at = 0; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ (LOW[index] ?? 0)
      high = (high >>> 8) ^ (HIGH[index] ?? 0)
    }
    this.#low = low
    this.#high = high
  }

  /** Eight bytes, the lowest first. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, ~this.#low >>> 0, true)
    view.setUint32(4, ~this.#high >>> 0, true)
    return bytes
  }
}
