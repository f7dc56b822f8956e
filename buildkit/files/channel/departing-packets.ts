import { breakRing, type Ring, streamRing } from '#builder/threads'
import { MessageReader } from '../packets/messages-in-ring.ts'
import type { PacketStream } from '../packets/packet-stream.ts'

/** Bytes that wait for the peer before the thread has to. */
const MOST_WAITING = 1024 * 1024

/**
 * Passes what a thread sends to a peer, at the pace of the peer. Requests of the thread never wait for the peer, which may
 * in turn wait for the thread to take its contents: they are far fewer bytes than may wait here.
 */
export class DepartingPackets {
  readonly #stream: PacketStream
  readonly #ring: Ring
  readonly #onBytes: (count: number) => void
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #sending: Promise<void> = Promise.resolve()
  #isSending = false
  #isOver = false
  #failure: unknown

  /** @param onBytes is called with the size of each packet */
  constructor(stream: PacketStream, ring: Ring, onBytes: (count: number) => void) {
    this.#stream = stream
    this.#ring = ring
    this.#onBytes = onBytes
  }

  /** Why the peer takes no more. */
  get failure(): unknown {
    return this.#failure
  }

  /** Resolves when all is sent, and never rejects. @param onFailure called where the peer fails */
  async run(onFailure: () => void): Promise<void> {
    try {
      await this.#readAll()
      await this.#sending
    } catch (cause) {
      this.#failure ??= cause
    }
    if (this.#isOver) return
    if (this.#failure !== undefined) onFailure()
    this.#end()
  }

  /** What the peer has not taken yet, it does not get. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    breakRing(this.#ring)
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    try {
      this.#stream.end()
    } catch (cause) {
      this.#failure ??= cause
    }
  }

  async #readAll(): Promise<void> {
    const reader = new MessageReader()
    for await (const piece of streamRing(this.#ring)) {
      for (const message of reader.take(piece)) {
        this.#waiting.push(message)
        this.#waitingBytes += message.length
      }
      if (!this.#isSending) this.#sending = this.#send()
      if (this.#waitingBytes > MOST_WAITING) await this.#sending
      if (this.#isOver || this.#failure !== undefined) return
    }
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    this.#isSending = true
    try {
      while (this.#waiting.length > 0) {
        const messages = this.#waiting
        this.#waiting = []
        this.#waitingBytes = 0
        for (const message of messages) {
          await this.#stream.send(message)
          if (this.#isOver) return
          this.#onBytes(message.length)
        }
      }
    } catch (cause) {
      this.#failure ??= cause
      breakRing(this.#ring)
    } finally {
      this.#isSending = false
    }
  }
}
