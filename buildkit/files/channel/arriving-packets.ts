import { setImmediate as nextTurn } from 'node:timers/promises'
import { breakRing, type Ring } from '#builder/threads'
import { MessageWriter } from '../packets/messages-in-ring.ts'
import type { PacketStream } from '../packets/packet-stream.ts'

/** Milliseconds of work between turns of the event loop. */
const SLICE_MILLISECONDS = 5

/** Passes what a peer sends to a thread, at the pace of the thread. */
export class ArrivingPackets {
  readonly #iterator: AsyncIterator<Buffer>
  readonly #ring: Ring
  readonly #writer: MessageWriter
  readonly #onBytes: (count: number) => void
  /** The ring is written to until it settles. */
  #writing: Promise<unknown> = Promise.resolve()
  #isOver = false
  #isFlushing = false
  #failure: unknown

  /** @param onBytes is called with the size of each packet */
  constructor({ messages }: PacketStream, ring: Ring, onBytes: (count: number) => void) {
    this.#iterator = messages[Symbol.asyncIterator]()
    this.#ring = ring
    this.#writer = new MessageWriter(ring)
    this.#onBytes = onBytes
  }

  /** Why there came no more; `undefined` where the peer has ended, or nothing else was wanted. */
  get failure(): unknown {
    return this.#failure
  }

  /** Never rejects. @param onFailure called where the peer fails */
  async run(onFailure: () => void): Promise<void> {
    try {
      await this.#passAll()
    } catch (cause) {
      if (this.#isOver) return
      this.#failure = cause
      onFailure()
    }
  }

  /** The thread wants no more. Resolves when the ring is not used any more; what the peer does is not awaited. */
  async close(): Promise<void> {
    this.#isOver = true
    breakRing(this.#ring)
    this.#return().catch(() => undefined)
    await this.#writing.catch(() => undefined)
  }

  async #passAll(): Promise<void> {
    let sliceEnd = performance.now() + SLICE_MILLISECONDS
    for (;;) {
      const { done, value } = await this.#iterator.next()
      if (this.#isOver) return
      if (done === true) break
      this.#onBytes(value.length)
      this.#writing = this.#writer.write(value)
      if ((await this.#writing) === false || this.#isOver) return
      this.#flushSoon()
      if (performance.now() < sliceEnd) continue
      await nextTurn()
      if (this.#isOver) return
      sliceEnd = performance.now() + SLICE_MILLISECONDS
    }
    this.#writing = this.#writer.end()
    await this.#writing
  }

  /** All that comes in one turn goes together. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      if (!this.#isOver) this.#writer.flush()
    })
  }

  async #return(): Promise<void> {
    await this.#iterator.return?.()
  }
}
