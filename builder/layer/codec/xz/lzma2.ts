import type { ByteQueue } from '../bytes/byte-queue.ts'
import { CodecError } from '../bytes/codec-error.ts'
import { LzmaDecoder, type LzmaProperties, lzmaProperties } from './lzma.ts'
import type { Window } from './lzma-window.ts'

const END = 0x00
const RESET_AND_COPY = 0x01
const COPY = 0x02
const PACKED = 0x80
/** What a packed chunk resets, by two bits of its first byte. */
const NEW_STATE = 1
const NEW_PROPERTIES = 2
const NEW_WINDOW = 3

/** A piece of a block: unpacked bytes, and how many packed bytes were read for it. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly taken: number
}

/**
 * Unpacks a sequence of LZMA2 chunks up to its end.
 * @param window in which a block was begun
 * @throws {CodecError}
 */
export async function* unlzma2(queue: ByteQueue, window: Window): AsyncGenerator<Piece> {
  const chunks = new Chunks(window)
  for (;;) {
    const control = await byte(queue)
    if (control === END) {
      yield { bytes: new Uint8Array(0), taken: 1 }
      return
    }
    yield control >= PACKED
      ? await chunks.unpack(queue, control)
      : await chunks.copy(queue, control)
  }
}

class Chunks {
  readonly #window: Window
  #properties: LzmaProperties | undefined
  #decoder: LzmaDecoder | undefined
  #position = 0
  #isFirst = true

  constructor(window: Window) {
    this.#window = window
  }

  async copy(queue: ByteQueue, control: number): Promise<Piece> {
    if (control !== RESET_AND_COPY && control !== COPY) throw new CodecError('a chunk is unknown')
    this.#begin(control === RESET_AND_COPY)
    const size = (await word(queue)) + 1
    this.#window.putAll(await readExactly(queue, size))
    this.#position += size
    return { bytes: this.#window.take(), taken: 3 + size }
  }

  async unpack(queue: ByteQueue, control: number): Promise<Piece> {
    const resets = (control >>> 5) & 3
    this.#begin(resets === NEW_WINDOW)
    const size = ((control & 0x1f) << 16) + (await word(queue)) + 1
    const packedSize = (await word(queue)) + 1
    if (resets >= NEW_PROPERTIES) this.#properties = lzmaProperties(await byte(queue))
    if (this.#properties === undefined) throw new CodecError('a chunk has no properties')
    if (resets >= NEW_STATE) this.#decoder = new LzmaDecoder(this.#properties)
    if (this.#decoder === undefined) throw new CodecError('a chunk has no state')
    const packed = await readExactly(queue, packedSize)
    this.#decoder.decode(packed, this.#window, { size, position: this.#position })
    this.#position += size
    const header = resets >= NEW_PROPERTIES ? 6 : 5
    return { bytes: this.#window.take(), taken: header + packedSize }
  }

  #begin(isReset: boolean): void {
    if (this.#isFirst && !isReset) throw new CodecError('the first chunk has to begin anew')
    this.#isFirst = false
    this.#window.prepare()
    if (!isReset) return
    this.#window.reset()
    this.#position = 0
  }
}

async function byte(queue: ByteQueue): Promise<number> {
  return (await readExactly(queue, 1))[0] ?? 0
}

/** A number of two bytes, the higher one first. */
async function word(queue: ByteQueue): Promise<number> {
  const [high = 0, low = 0] = await readExactly(queue, 2)
  return (high << 8) | low
}

/** The next `size` bytes. @throws {CodecError} when there are fewer */
export async function readExactly(queue: ByteQueue, size: number): Promise<Uint8Array> {
  const bytes = await queue.take(size)
  if (bytes === undefined) throw new CodecError('it ends too early')
  return bytes
}
