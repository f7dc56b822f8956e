import { closeSync, openSync } from 'node:fs'
import { writeFully } from '#builder/linux'
import { type Digest, Digester, digestOf, errnoOf, hexOf } from '#core'
import { type ContentsEntry, endOf, TRAILER_BYTES } from './contents-entry.ts'
import type { ChunkNotes } from './tar-chunks.ts'

/** Kept in memory before it is written. */
const TEXT_LENGTH = 1 << 16
/** What is made anew in no time is not worth a file. */
const FEWEST_ENTRIES = 500
const FEWEST_BYTES = 8 << 20

/** An entry that is being written. */
export interface NewEntry extends Pick<ContentsEntry, 'path' | 'header' | 'isDirectory' | 'size'> {
  /** Of all blocks before the content. */
  readonly headerBytes: number
}

/** What was noted of the entries of a tar. */
export interface NotedEntries {
  /** Of the text. */
  readonly bytes: number
  readonly count: number
  readonly digest: Digest
}

/**
 * Notes what is where in a layer's tar, so that the next layer of the same step takes over what did not
 * change: see `TarContents`. Nothing is synced: what is damaged is not used. What the disk refuses is not kept, and the
 * layer is none the worse for it.
 */
export class ContentsWriter {
  readonly #fd: number | undefined
  readonly #digester = new Digester()
  #text = ''
  #entry: (Omit<ContentsEntry, 'digest'> & { digest: Digest | undefined }) | undefined
  #count = 0
  #isPlain = true

  /** @param path a file to create */
  constructor(path: string) {
    this.#fd = attempt(() => openSync(path, 'wx', 0o600))
    if (this.#fd === undefined) this.abandon()
  }

  /** Begins the next entry. */
  begin({ path, header, isDirectory, headerBytes, size }: NewEntry): void {
    const start = this.#end()
    const position = start + headerBytes
    this.#entry = { path, header, isDirectory, start, position, size, digest: undefined }
  }

  /** The tar deletes something, or hides it: a later one cannot be told by entries alone. */
  abandon(): void {
    this.#isPlain = false
  }

  /** The content of the entry that was begun last. */
  setDigest(digest: Digest): void {
    if (this.#entry !== undefined) this.#entry.digest = digest
  }

  /** Ends the part about entries. @returns `undefined` when they do not tell the tar */
  finishEntries(): NotedEntries | undefined {
    this.#end()
    this.#entry = undefined
    this.#flush()
    if (!this.#isPlain) return undefined
    const { size: bytes } = this.#digester
    return { bytes, count: this.#count, digest: this.#digester.digest() }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  /** Completes the file. @returns whether it is worth being kept */
  finish(chunks: ChunkNotes): boolean {
    const entries = this.finishEntries()
    return entries !== undefined && this.#fd !== undefined && writeChunks(this.#fd, entries, chunks)
  }

  /** @returns where the last entry ends */
  #end(): number {
    const entry = this.#entry
    if (entry === undefined) return 0
    const { path, header, isDirectory, position, size, digest } = entry
    const content = digest === undefined ? '' : hexOf(digest)
    this.#text += `${path}\0${header}\0${isDirectory ? 'd' : ''}\0${position}\0${size}\0${content}\0`
    this.#count++
    if (this.#text.length > TEXT_LENGTH) this.#flush()
    return endOf(entry)
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text, 'latin1')
    this.#digester.update(bytes)
    this.#write(bytes)
    this.#text = ''
  }

  #write(bytes: Buffer): void {
    const fd = this.#fd
    if (fd === undefined || !this.#isPlain) return
    if (!attempt(() => writeAll(fd, bytes))) this.abandon()
  }
}

/**
 * Completes a file of contents that has the entries of a tar, once that was written.
 * @returns whether it is worth being kept
 */
export function addChunks(path: string, entries: NotedEntries, chunks: ChunkNotes): boolean {
  const fd = attempt(() => openSync(path, 'a'))
  if (fd === undefined) return false
  try {
    return writeChunks(fd, entries, chunks)
  } finally {
    closeSync(fd)
  }
}

function writeChunks(
  fd: number,
  { bytes, count, digest }: NotedEntries,
  chunks: ChunkNotes,
): boolean {
  if (count < FEWEST_ENTRIES && chunks.size < FEWEST_BYTES) return false
  const text = chunks.toString()
  const sums = [digest, digestOf(text)].map(hexOf)
  const trailer = [bytes, text.length, count, ...sums].join(' ').padEnd(TRAILER_BYTES)
  return attempt(() => writeAll(fd, Buffer.from(`${text}${trailer}`, 'latin1'))) === true
}

function writeAll(fd: number, bytes: Buffer): true {
  writeFully(fd, bytes)
  return true
}

/** `undefined` for what the disk refuses. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
