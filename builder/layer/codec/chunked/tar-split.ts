import type { Buffer } from 'node:buffer'
import { Crc64Iso } from './crc64-iso.ts'
import type { DescribedEntry } from './described-entry.ts'
import { type Packed, PackedText } from './packed-text.ts'

/** The kinds of records. Spec: vbatts/tar-split, tar/storage */
const [FILE, SEGMENT] = [1, 2] as const

interface SplitRecord {
  readonly type: number
  readonly name?: string | undefined
  readonly size?: number
  readonly payload: string | null
}

/**
 * What a tar has beside the contents of files, so that a reader with all files can put together the very
 * tar, and with it its diffID.
 */
export class TarSplit {
  readonly #text: PackedText
  #position = 0
  #file: DescribedEntry | undefined
  #checksum: Crc64Iso | undefined

  constructor(level: number) {
    this.#text = new PackedText(level)
  }

  /** All bytes since the last content: its padding, and the headers of the next entry. */
  segment(bytes: Buffer): void {
    this.#record({ type: SEGMENT, payload: bytes.toString('base64') })
  }

  /** The entry whose headers were the last segment. */
  async entry(entry: DescribedEntry): Promise<void> {
    this.#file = entry
    this.#checksum = entry.size > 0 ? new Crc64Iso() : undefined
    if (this.#checksum === undefined) this.endContent()
    await this.#text.flush()
  }

  content(bytes: Uint8Array): void {
    this.#checksum?.update(bytes)
  }

  endContent(): void {
    const { name, size = 0 } = this.#file ?? {}
    const payload = this.#checksum?.digest().toString('base64') ?? null
    this.#record({ type: FILE, name, ...(size > 0 ? { size } : {}), payload })
  }

  end(): Promise<Packed> {
    return this.#text.end()
  }

  discard(): void {
    this.#text.discard()
  }

  #record(record: SplitRecord): void {
    this.#text.add(`${JSON.stringify({ ...record, position: this.#position })}\n`)
    this.#position += 1
  }
}
