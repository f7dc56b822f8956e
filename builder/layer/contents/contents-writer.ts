import { closeSync, openSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { writeFully } from '#builder/linux'
import { type Digest, Digester, hexOf, type Name } from '#core'
import { headerDigest, TRAILER_BYTES } from './contents-entry.ts'

/** Kept in memory before it is written. */
const TEXT_LENGTH = 1 << 16
/** What is made anew in no time is not worth a file. */
const FEWEST_ENTRIES = 500
const FEWEST_BYTES = 8 << 20

/** An entry that is being written. */
interface OpenEntry {
  readonly path: Name
  readonly header: string
  readonly isDirectory: boolean
  readonly position: number
  readonly size: number
  digest: Digest | undefined
}

/**
 * Notes what is where in a layer's tar while that is written, so that the next layer of the same step takes
 * over what did not change: see `TarContents`. Nothing is synced: what is damaged is not used.
 */
export class ContentsWriter {
  readonly #fd: number
  readonly #digester = new Digester()
  readonly #chunks: number[] = []
  #text = ''
  #entry: OpenEntry | undefined
  #count = 0
  #entryBytes = 0
  #isPlain = true
  #tarBytes = 0

  /** @param path a file to create */
  constructor(path: string) {
    this.#fd = openSync(path, 'wx', 0o600)
  }

  /** Begins the next entry. @param position of its content */
  begin(
    entry: Omit<OpenEntry, 'header' | 'digest'> & { readonly blocks: readonly Buffer[] },
  ): void {
    this.#end()
    const { blocks, path, isDirectory, position, size } = entry
    this.#entry = {
      path,
      header: headerDigest(blocks),
      isDirectory,
      position,
      size,
      digest: undefined,
    }
  }

  /** The tar deletes something, or hides it: a later one cannot be told by entries alone. */
  abandon(): void {
    this.#isPlain = false
  }

  /** The content of the entry that was begun last. */
  setDigest(digest: Digest): void {
    if (this.#entry !== undefined) this.#entry.digest = digest
  }

  /** Gets the bytes of the tar as they are written. */
  chunk(bytes: Uint8Array): void {
    this.#chunks.push(bytes.length, crc32(bytes))
    this.#tarBytes += bytes.length
  }

  /** Completes the file. @returns whether it is worth being kept */
  finish(): boolean {
    this.#end()
    if (!this.#isPlain) return false
    if (this.#count < FEWEST_ENTRIES && this.#tarBytes < FEWEST_BYTES) return false
    this.#flush()
    this.#entryBytes = this.#digester.size
    this.#text = JSON.stringify(this.#chunks)
    this.#flush()
    const chunkBytes = this.#digester.size - this.#entryBytes
    const sum = hexOf(this.#digester.digest())
    const trailer = `${this.#entryBytes} ${chunkBytes} ${this.#count} ${sum}`
    writeFully(this.#fd, Buffer.from(trailer.padEnd(TRAILER_BYTES), 'latin1'))
    return true
  }

  close(): void {
    closeSync(this.#fd)
  }

  #end(): void {
    const entry = this.#entry
    if (entry === undefined) return
    const { path, header, isDirectory, position, size, digest } = entry
    const content = digest === undefined ? '' : hexOf(digest)
    this.#text += `${path}\0${header}\0${isDirectory ? 'd' : ''}\0${position}\0${size}\0${content}\0`
    this.#count++
    this.#entry = undefined
    if (this.#text.length > TEXT_LENGTH) this.#flush()
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text, 'latin1')
    this.#digester.update(bytes)
    writeFully(this.#fd, bytes)
    this.#text = ''
  }
}
