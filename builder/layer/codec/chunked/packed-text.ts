import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { createZstdCompress } from 'node:zlib'
import { Digester } from '#core'
import { frameOptions } from '../zstd/frame.ts'

/** Text is packed in pieces of this many characters, or a little more. */
const PIECE = 64 * 1024

/** What a text was packed to. */
export interface Packed {
  readonly pieces: readonly Buffer[]
  /** Bytes of the pieces. */
  readonly size: number
  /** Bytes of the text. */
  readonly unpacked: number
  /** Of the pieces. */
  readonly digest: string
}

/** A text that grows line by line and that is held packed, as one zstd frame. */
export class PackedText {
  /** Bytes of the text so far, but for what was added since the last flush. */
  size = 0
  readonly #packer: ReturnType<typeof createZstdCompress>
  readonly #pieces: Buffer[] = []
  #waiting: string[] = []
  #length = 0

  constructor(level: number) {
    this.#packer = createZstdCompress(frameOptions(level))
    this.#packer.on('data', (piece: Buffer) => this.#pieces.push(piece))
  }

  /** Takes more text; `flush` is to be awaited now and then. */
  add(text: string): void {
    this.#waiting.push(text)
    this.#length += text.length
  }

  /** Packs what was added, once it is enough. */
  async flush(): Promise<void> {
    if (this.#length >= PIECE) await this.#write()
  }

  async end(): Promise<Packed> {
    await this.#write()
    this.#packer.end()
    await finished(this.#packer)
    const digester = new Digester()
    for (const piece of this.#pieces) digester.update(piece)
    const { size } = digester
    return { pieces: this.#pieces, size, unpacked: this.size, digest: digester.digest() }
  }

  /** Frees what was packed. */
  discard(): void {
    this.#packer.destroy()
    this.#pieces.length = 0
    this.#waiting = []
  }

  async #write(): Promise<void> {
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#length = 0
    this.size += bytes.length
    if (!this.#packer.write(bytes)) await once(this.#packer, 'drain')
  }
}
