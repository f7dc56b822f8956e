/** Bytes of one message. */
const MAX_MESSAGE = 16 * 1024 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b])
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d])

/**
 * The JSON objects of a stream: a line each, one behind the other, or with the separators of RFC 7464. What stands
 * between them is passed over.
 * @throws {Error} for a message that is too long
 */
export async function* jsonTexts(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const splitter = new MessageSplitter()
  for await (const chunk of source) yield* splitter.push(chunk)
}

/** Finds the ends of messages in bytes: of UTF-8, what is looked for stands for itself only. */
class MessageSplitter {
  #parts: Uint8Array[] = []
  #size = 0
  #depth = 0
  #isInString = false
  #isEscaped = false

  /** @returns the messages that end in this chunk */
  push(chunk: Uint8Array): readonly string[] {
    const messages: string[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (this.#depth === 0 && !OPENING.has(byte)) start = at + 1
      else if (this.#ends(byte)) {
        messages.push(Buffer.concat([...this.#parts, chunk.subarray(start, at + 1)]).toString())
        this.#parts = []
        this.#size = 0
        start = at + 1
      }
    }
    this.#keep(chunk.subarray(start))
    return messages
  }

  #keep(rest: Uint8Array): void {
    if (rest.length === 0) return
    this.#size += rest.length
    if (this.#size > MAX_MESSAGE) throw new Error(`a message has more than ${MAX_MESSAGE} bytes`)
    this.#parts.push(rest)
  }

  /** Whether a message ends with this byte. */
  #ends(byte: number): boolean {
    if (this.#isInString) this.#readInString(byte)
    else if (OPENING.has(byte)) this.#depth += 1
    else if (byte === QUOTE) this.#isInString = true
    else if (CLOSING.has(byte)) this.#depth -= 1
    return this.#depth === 0
  }

  #readInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === BACKSLASH) this.#isEscaped = true
    else if (byte === QUOTE) this.#isInString = false
  }
}
