import { Buffer } from 'node:buffer'

/** Bytes of the length before a message. */
const PREFIX = 2

/** A message as it is sent over TCP: after its length. Spec: RFC 1035 section 4.2.2 */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX + message.length)
  frame.writeUInt16BE(message.length, 0)
  frame.set(message, PREFIX)
  return frame
}

/** Messages out of what comes over TCP. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0)

  /** Adds what came. */
  push(data: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, data])
  }

  /** The next message, if it is there as a whole. */
  shift(): Buffer | undefined {
    if (this.#held.length < PREFIX) return undefined
    const end = PREFIX + this.#held.readUInt16BE(0)
    if (this.#held.length < end) return undefined
    const message = this.#held.subarray(PREFIX, end)
    this.#held = this.#held.subarray(end)
    return message
  }
}
