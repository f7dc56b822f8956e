import type { Buffer } from 'node:buffer'
import { posix } from 'node:path'
import { BLOCK } from '../../content/blocks.ts'
import { type DescribedEntry, describeEntry } from './described-entry.ts'
import { type Place, TableOfContents } from './table-of-contents.ts'
import type { EntryPart } from './tar-parts.ts'
import { TarSplit } from './tar-split.ts'
import { type Trailer, trailerOf } from './trailer.ts'

/**
 * What a blob says of the files in it. It is held packed, some hundred bytes for each of them, and given up
 * where no reader would take it: then the blob is zstd as any other.
 */
export class LayerIndex {
  readonly #table: TableOfContents
  readonly #tarSplit: TarSplit
  /** Readers refuse a table with one file twice. */
  readonly #names = new Set<string>()
  #isGivenUp = false

  constructor(level: number) {
    this.#table = new TableOfContents(level)
    this.#tarSplit = new TarSplit(level)
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /**
   * Takes the next entry of the tar.
   * @param before what the tar has between the last content and that of this entry
   * @returns what `place` gets once its content is packed
   */
  async add(part: EntryPart, before: Buffer): Promise<DescribedEntry | undefined> {
    if (this.#isGivenUp) return undefined
    const { entry, pax, isSparse } = part
    const described = isSparse ? undefined : describeEntry(entry, pax, before.subarray(-BLOCK))
    const path = posix.join('/', entry.name, '.')
    if (described === undefined || this.#names.has(path)) {
      this.giveUp()
      return undefined
    }
    this.#names.add(path)
    this.#tarSplit.segment(before)
    await this.#tarSplit.entry(described)
    return described
  }

  /** A part of the content of the last entry. */
  content(bytes: Buffer, { isLast }: { readonly isLast: boolean }): void {
    if (this.#isGivenUp) return
    this.#tarSplit.content(bytes)
    if (isLast) this.#tarSplit.endContent()
  }

  /** Says where an entry is; in the order of the tar. */
  async place(entry: DescribedEntry, place?: Place): Promise<void> {
    if (this.#isGivenUp) return
    await this.#table.add(entry, place)
    if (this.#table.isTooLarge) this.giveUp()
  }

  giveUp(): void {
    this.#isGivenUp = true
    this.#table.discard()
    this.#tarSplit.discard()
    this.#names.clear()
  }

  /**
   * @param rest what the tar has after the last entry
   * @param size bytes of the blob so far
   * @returns `undefined` when it was given up
   */
  async end(rest: Buffer, size: number): Promise<Trailer | undefined> {
    if (!this.#isGivenUp && rest.some((byte) => byte !== 0)) this.giveUp()
    if (this.#isGivenUp) return undefined
    if (rest.length > 0) this.#tarSplit.segment(rest)
    const tarSplit = await this.#tarSplit.end()
    const table = await this.#table.end(tarSplit.digest)
    return trailerOf(size, { table, tarSplit })
  }
}
