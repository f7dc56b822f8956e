import type { PacketStream } from '../../../../buildkit/files/packets/packet-stream.ts'

/** Messages that wait before a sender has to. */
const MOST_WAITING = 16

/** One direction of a connection. */
class Direction {
  readonly #waiting: Buffer[] = []
  #failure: unknown
  #isEnded = false
  #changed = Promise.withResolvers<void>()

  async send(message: Uint8Array): Promise<void> {
    while (this.#waiting.length >= MOST_WAITING && this.#failure === undefined) {
      await this.#changed.promise
    }
    if (this.#failure !== undefined) throw this.#failure
    this.#waiting.push(Buffer.from(message))
    this.#change()
  }

  end(): void {
    this.#isEnded = true
    this.#change()
  }

  fail(cause: unknown): void {
    this.#failure = cause
    this.#change()
  }

  async *messages(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const message = this.#waiting.shift()
      if (message !== undefined) {
        this.#change()
        yield message
      } else if (this.#failure !== undefined) throw this.#failure
      else if (this.#isEnded) return
      else await this.#changed.promise
    }
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}

/** The two ends of a connection in memory, as slow as its slower end. */
export class StreamPair {
  readonly ours: PacketStream
  readonly theirs: PacketStream
  readonly #directions: readonly Direction[]

  constructor() {
    const [there, back] = [new Direction(), new Direction()]
    this.#directions = [there, back]
    this.ours = endOf(there, back)
    this.theirs = endOf(back, there)
  }

  /** Both ends fail from now on. */
  cut(cause: Error): void {
    for (const direction of this.#directions) direction.fail(cause)
  }
}

function endOf(sending: Direction, receiving: Direction): PacketStream {
  return {
    send: (message) => sending.send(message),
    end: () => sending.end(),
    messages: receiving.messages(),
  }
}
