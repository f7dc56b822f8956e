/** Messages through a ring: each with its length before it, cut where a slot ends. */
import { Buffer } from 'node:buffer'
import { type Ring, RingWriter } from '#builder/threads'
import { MOST_PACKET_BYTES } from './packet-stream.ts'
import { protocolError } from './transfer-error.ts'

const HEAD_BYTES = 4

/** The writing end, for one thread. What is written lies in a slot until that is full, or until `flush`. */
export class MessageWriter {
  readonly #writer: RingWriter
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #slot: Buffer | undefined
  #used = 0

  constructor(ring: Ring) {
    this.#writer = new RingWriter(ring)
  }

  /**
   * Waits for the reader without blocking the thread. One message at a time.
   * @returns false when the ring is broken
   */
  async write(message: Uint8Array): Promise<boolean> {
    for (const part of this.#partsOf(message)) {
      for (let at = 0; at < part.length; ) {
        this.#slot ??= await this.#writer.nextSlot()
        if (this.#slot === undefined) return false
        at += this.#fill(this.#slot, part, at)
      }
    }
    return true
  }

  /** The same, blocking. @throws {TsbuildError} PEER_GONE when the ring is broken, CANCELLED */
  writeSync(message: Uint8Array): void {
    for (const part of this.#partsOf(message)) {
      for (let at = 0; at < part.length; ) {
        this.#slot ??= this.#writer.slot()
        at += this.#fill(this.#slot, part, at)
      }
    }
  }

  /** Lets the reader have what was written. */
  flush(): void {
    if (this.#used === 0) return
    this.#writer.pass(this.#used)
    this.#slot = undefined
    this.#used = 0
  }

  /** After the last message. */
  async end(): Promise<void> {
    this.flush()
    this.#slot ??= await this.#writer.nextSlot()
    if (this.#slot !== undefined) this.#writer.end()
  }

  /** The same, blocking. @throws {TsbuildError} PEER_GONE when the ring is broken, CANCELLED */
  endSync(): void {
    this.flush()
    this.#slot ??= this.#writer.slot()
    this.#writer.end()
  }

  #partsOf(message: Uint8Array): readonly Uint8Array[] {
    if (message.length > MOST_PACKET_BYTES) {
      throw protocolError(`a packet of ${message.length} bytes`)
    }
    this.#head.writeUInt32LE(message.length)
    return [this.#head, message]
  }

  #fill(slot: Buffer, part: Uint8Array, from: number): number {
    const count = Math.min(part.length - from, slot.length - this.#used)
    slot.set(
      from === 0 && count === part.length ? part : part.subarray(from, from + count),
      this.#used,
    )
    this.#used += count
    if (this.#used === slot.length) this.flush()
    return count
  }
}

/** Puts messages together from pieces of a ring. */
export class MessageReader {
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  #body: Buffer | undefined
  #bodyBytes = 0;

  /** The messages that a piece completes. A message is valid as long as the piece is. */
  *take(piece: Uint8Array): Generator<Buffer, void, undefined> {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    for (let at = 0; at < bytes.length; ) {
      if (this.#headBytes < HEAD_BYTES) {
        const count = bytes.copy(this.#head, this.#headBytes, at, at + HEAD_BYTES - this.#headBytes)
        at += count
        this.#headBytes += count
        if (this.#headBytes < HEAD_BYTES) return
      }
      const length = this.#head.readUInt32LE()
      if (this.#body === undefined && bytes.length - at >= length) {
        this.#headBytes = 0
        yield bytes.subarray(at, at + length)
        at += length
      } else {
        at += this.#copy(bytes, at, length)
        if (this.#bodyBytes === length) yield this.#takeBody()
      }
    }
  }

  #copy(bytes: Buffer, at: number, length: number): number {
    this.#body ??= Buffer.allocUnsafeSlow(length)
    const count = bytes.copy(this.#body, this.#bodyBytes, at)
    this.#bodyBytes += count
    return count
  }

  #takeBody(): Buffer {
    const body = this.#body
    if (body === undefined) throw new Error('no message was begun')
    this.#body = undefined
    this.#bodyBytes = 0
    this.#headBytes = 0
    return body
  }
}
