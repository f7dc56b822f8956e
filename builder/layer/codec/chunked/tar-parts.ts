import type { Buffer } from 'node:buffer'
import { BLOCK } from '../../content/blocks.ts'
import type { PaxRecords } from '../../tar/pax.ts'
import type { TarEntry } from '../../tar/tar-entry.ts'
import { TarReader } from '../../tar/tar-reader.ts'

/** A part of a tar. The bytes of all parts are those of the tar. */
export type TarPart =
  /** Headers, paddings, the end; and what is in a tar that has no such parts. */
  | { readonly kind: 'between'; readonly bytes: Buffer }
  | EntryPart
  /** Content of the last entry. */
  | { readonly kind: 'content'; readonly bytes: Buffer }

/** Follows the last byte of the headers of an entry. */
export interface EntryPart {
  readonly kind: 'entry'
  readonly entry: TarEntry
  readonly pax: PaxRecords
  /** A file with holes: its content is not that of the tar. */
  readonly isSparse: boolean
}

/** Cuts a tar into the contents of its files and what is between them. */
export class TarParts {
  /** Nothing that contradicts it was found, nor records for all entries. */
  isPlainTar = true
  readonly #reader = new TarReader({
    entry: (entry, pax) => this.#begin(entry, pax),
    content: () => undefined,
    hole: () => undefined,
    end: () => undefined,
  })
  #isBroken = false
  #position = 0
  /** Bytes of content that are still to come. */
  #left = 0
  #found: (EntryPart & { readonly end: number })[] = []

  /** To be called after the last byte. */
  end(): void {
    this.#read(() => this.#reader.end())
    // Other readers read whole blocks.
    if (this.#position % BLOCK !== 0) this.isPlainTar = false
  }

  /** The parts of the next bytes. */
  *cut(bytes: Buffer): Generator<TarPart, void, undefined> {
    const start = this.#position
    this.#position += bytes.length
    this.#found = []
    this.#read(() => this.#reader.write(bytes))
    let at = 0
    for (const { end, ...part } of this.#found) {
      yield* this.#divided(bytes.subarray(at, end - start))
      at = end - start
      yield part
      this.#left = part.isSparse ? 0 : part.entry.size
    }
    yield* this.#divided(bytes.subarray(at))
  }

  #begin(entry: TarEntry, pax: PaxRecords): void {
    const isSparse = entry.size > 0 && this.#reader.skippable === 0
    this.#found.push({ kind: 'entry', entry, pax, isSparse, end: this.#reader.position })
  }

  #read(step: () => void): void {
    if (this.#isBroken) return
    try {
      step()
    } catch {
      // What cannot be read is packed as it is: to find fault is left to those that unpack it.
      this.#isBroken = true
    }
    if (this.#isBroken || this.#reader.hasGlobalRecords) this.isPlainTar = false
  }

  *#divided(bytes: Buffer): Generator<TarPart, void, undefined> {
    const content = bytes.subarray(0, this.#left)
    const rest = bytes.subarray(content.length)
    this.#left -= content.length
    if (content.length > 0) yield { kind: 'content', bytes: content }
    if (rest.length > 0) yield { kind: 'between', bytes: rest }
  }
}
