import { Buffer } from 'node:buffer'
import { CallError } from './call-error.ts'

/** A byte that says whether the message is compressed, and four for its length. Spec: gRPC, PROTOCOL-HTTP2.md */
const HEAD = 5

/** What is set aside for a message before its bytes are there. */
const FIRST_ROOM = 64 * 1024

/** A message as it is sent: a copy, with its length in front. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, HEAD)
  return frame
}

/** Takes messages out of a stream of bytes. Holds at most twice what has come of the message that is not complete. */
export class FrameReader {
  readonly #limit: number
  readonly #head: Buffer = Buffer.alloc(HEAD)
  #headBytes = 0
  #length = 0
  #body: Buffer = Buffer.alloc(0)
  #bodyBytes = 0

  /** @param limit bytes of a message */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether the bytes so far end with a complete message. */
  get isBetween(): boolean {
    return this.#headBytes === 0
  }

  /**
   * @returns the messages that `chunk` completes
   * @throws {CallError} RESOURCE_EXHAUSTED for one that is too long, INTERNAL for one that is compressed
   */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#headBytes < HEAD) {
        rest = this.#takeHead(rest)
        if (this.#headBytes < HEAD) return
        this.#checkHead()
      }
      const missing = this.#length - this.#bodyBytes
      if (rest.length < missing) {
        this.#keep(rest)
        return
      }
      const end = rest.subarray(0, missing)
      rest = rest.subarray(missing)
      yield this.#complete(end)
    }
  }

  #takeHead(bytes: Buffer): Buffer {
    const copied = bytes.copy(this.#head, this.#headBytes)
    this.#headBytes += copied
    return bytes.subarray(copied)
  }

  #checkHead(): void {
    this.#length = this.#head.readUInt32BE(1)
    if (this.#head[0] !== 0) {
      throw new CallError('the client sent a compressed message, which was not asked for', {
        status: 'INTERNAL',
      })
    }
    if (this.#length <= this.#limit) return
    throw new CallError(
      `the client sent a message of ${this.#length} bytes; at most ${this.#limit} are taken`,
      { status: 'RESOURCE_EXHAUSTED' },
    )
  }

  #complete(end: Buffer): Buffer {
    let message = end
    if (this.#bodyBytes > 0) {
      this.#keep(end)
      message = this.#body.subarray(0, this.#bodyBytes)
    }
    this.#headBytes = 0
    this.#bodyBytes = 0
    this.#body = Buffer.alloc(0)
    return message
  }

  /** In one piece that grows: many small pieces would take more memory than their bytes. */
  #keep(bytes: Buffer): void {
    const wanted = this.#bodyBytes + bytes.length
    if (wanted > this.#body.length) {
      const room = Math.min(this.#length, Math.max(FIRST_ROOM, this.#body.length * 2, wanted))
      const larger = Buffer.allocUnsafe(room)
      this.#body.copy(larger, 0, 0, this.#bodyBytes)
      this.#body = larger
    }
    bytes.copy(this.#body, this.#bodyBytes)
    this.#bodyBytes = wanted
  }
}
