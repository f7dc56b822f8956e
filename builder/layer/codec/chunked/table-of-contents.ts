import type { DescribedEntry } from './described-entry.ts'
import { type Packed, PackedText } from './packed-text.ts'

/** Readers refuse what is larger. */
const MOST_BYTES = 150 * 1024 * 1024

/** A part of a file, and where its frame lies in the blob. */
export interface Chunk {
  readonly size: number
  readonly digest: string
  readonly offset: number
}

/** Where the frames of a content lie. */
export interface Place {
  /** At least one. */
  readonly chunks: readonly Chunk[]
  /** Of the whole content. */
  readonly digest: string
  readonly endOffset: number
}

/** The table of contents at the end of a blob. Spec: containers/storage, pkg/chunked */
export class TableOfContents {
  readonly #text: PackedText
  #separator = '{"version":1,"entries":['

  constructor(level: number) {
    this.#text = new PackedText(level)
  }

  /** Whether no reader would take it any more. */
  get isTooLarge(): boolean {
    return this.#text.size > MOST_BYTES
  }

  /** Takes the next entry, with its place where it has content. */
  async add(entry: DescribedEntry, place?: Place): Promise<void> {
    if (place === undefined) this.#entry(entry)
    else this.#placed(entry, place)
    await this.#text.flush()
  }

  end(tarSplitDigest: string): Promise<Packed> {
    const start = this.#separator === ',' ? '' : this.#separator
    this.#text.add(`${start}],"tarSplitDigest":${JSON.stringify(tarSplitDigest)}}`)
    return this.#text.end()
  }

  discard(): void {
    this.#text.discard()
  }

  #placed(entry: DescribedEntry, { chunks, digest, endOffset }: Place): void {
    const [first, ...others] = chunks
    if (first === undefined) throw new Error('content without a chunk')
    const { offset } = first
    const part = others.length === 0 ? {} : { chunkSize: first.size, chunkDigest: first.digest }
    this.#entry({ ...entry, digest, offset, endOffset, ...part })
    let chunkOffset = first.size
    for (const { size, digest: chunkDigest, offset: at } of others) {
      const place = { offset: at, chunkSize: size, chunkOffset, chunkDigest }
      this.#entry({ type: 'chunk', name: entry.name, ...place })
      chunkOffset += size
    }
  }

  /** What is 0 is left out. */
  #entry(fields: object): void {
    const set = Object.entries(fields).filter(([, value]) => value !== 0)
    this.#text.add(`${this.#separator}${JSON.stringify(Object.fromEntries(set))}`)
    this.#separator = ','
  }
}
