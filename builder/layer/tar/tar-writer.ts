import { Buffer } from 'node:buffer'
import { closeSync, openSync } from 'node:fs'
import { HoleWriter, writeFully } from '#builder/linux'
import { type Ring, RingWriter } from '#builder/threads'
import {
  asDiffId,
  type Change,
  checkpoint,
  type DiffId,
  type Digest,
  Digester,
  joinName,
  type Name,
  TsbuildError,
} from '#core'
import type { CopyBuffer } from '../content/copy-buffer.ts'
import type { ContentsWriter } from '../contents/contents-writer.ts'
import { quote } from '../paths/quote.ts'
import { OPAQUE_MARK, WHITEOUT_PREFIX, whiteoutPath } from '../paths/whiteout.ts'
import { BLOCK, encodeHeader, encodeWhiteout } from './header-encoder.ts'

/** Small enough to stay in the CPU's cache between reading, hashing and writing. */
const BUFFER_SIZE = 512 * 1024

/** What else gets what a tar writer writes. */
export interface TarReaders {
  /** See `LayerSinks`. */
  readonly reader?: Ring | undefined
  readonly contents?: ContentsWriter | undefined
}

interface NotedHeader {
  readonly blocks: readonly Buffer[]
  /** Bytes of the content. */
  readonly size: number
}

/** Writes a layer's tar: everything is copied through one buffer, digested and written. */
export class TarWriter implements CopyBuffer {
  readonly #fd: number
  /** Of a file of its own. */
  readonly #holes: HoleWriter | undefined
  readonly #reader: RingWriter | undefined
  readonly #contents: ContentsWriter | undefined
  readonly #digester = new Digester()
  #size = 0
  /** File content is read directly into it, at `used`. */
  buffer: Buffer
  /** Bytes of `buffer` that are taken. */
  used = 0

  /** `target`: a file to create, or a descriptor that stays open. */
  constructor(target: string | number, { reader, contents }: TarReaders = {}) {
    this.#reader = reader === undefined ? undefined : new RingWriter(reader)
    this.#contents = contents
    this.buffer = this.#reader?.slot() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE)
    this.#fd = typeof target === 'string' ? openSync(target, 'wx', 0o644) : target
    this.#holes = typeof target === 'string' ? new HoleWriter(this.#fd) : undefined
  }

  /**
   * Writes the header of a change. Its content follows in the buffer, and then `pad`.
   * @param blocks the header, where it was made already
   */
  header(change: Change, size: number, blocks: readonly Buffer[] = headerOf(change, size)): void {
    for (const block of blocks) this.#append(block)
    if (this.#contents !== undefined) this.#note(this.#contents, change, { blocks, size })
  }

  #note(contents: ContentsWriter, change: Change, { blocks, size }: NotedHeader): void {
    if (change.kind !== 'entry') {
      contents.abandon()
      return
    }
    const isDirectory = change.stat.type === 'directory'
    const position = this.#size + this.used
    contents.begin({ path: change.path, isDirectory, blocks, position, size })
  }

  /** Whether somebody wants to be told what the contents are. */
  get wantsDigests(): boolean {
    return this.#contents !== undefined
  }

  /** Says what the content was that followed the last header. */
  setDigest(digest: Digest): void {
    this.#contents?.setDigest(digest)
  }

  #append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.used === this.buffer.length) this.flush()
      const copied = bytes.copy(this.buffer, this.used, at)
      this.used += copied
      at += copied
    }
  }

  /** Pads the content of a file of `size` bytes to whole blocks. */
  pad(size: number): void {
    const end = this.used + (-size & (BLOCK - 1))
    // Headers, padded files and the buffer are whole blocks: padding always fits.
    this.buffer.fill(0, this.used, end)
    this.used = end
  }

  /** Digests and writes what is in the buffer. */
  flush(): void {
    const taken = this.buffer.subarray(0, this.used)
    // The reader first: it works while the file is written.
    if (this.#reader === undefined) this.#digester.update(taken)
    else this.#reader.pass(taken.length)
    if (this.#holes === undefined) writeFully(this.#fd, taken, 0, taken.length)
    else this.#holes.write(taken)
    this.#contents?.chunk(taken)
    this.#size += taken.length
    this.used = 0
    if (this.#reader !== undefined) this.buffer = this.#reader.slot()
  }

  /** Adds zeros that stand for a hole of a file: they need not be read. */
  hole(length: number): void {
    for (let left = length; left > 0; ) {
      checkpoint()
      if (this.used === this.buffer.length) this.flush()
      const end = Math.min(this.buffer.length, this.used + left)
      this.buffer.fill(0, this.used, end)
      left -= end - this.used
      this.used = end
    }
  }

  /** Ends the tar. The digest is absent when a reader takes it. */
  finish(): { readonly diffId?: DiffId; readonly size: number } {
    this.#append(Buffer.alloc(2 * BLOCK))
    this.flush()
    this.#holes?.finish()
    const size = this.#size
    if (this.#reader !== undefined) {
      this.#reader.end()
      return { size }
    }
    return { diffId: asDiffId(this.#digester.digest()), size }
  }

  /** Closes the file, unless it was given as a descriptor. */
  close(): void {
    if (this.#holes !== undefined) closeSync(this.#fd)
  }
}

/** The blocks of a header. @throws {TsbuildError} LAYER_INVALID for a name that means something else */
export function headerOf(change: Change, size: number): readonly Buffer[] {
  switch (change.kind) {
    case 'whiteout':
      return encodeWhiteout(whiteoutPath(change.path))
    case 'opaque':
      return encodeWhiteout(joinName(change.path, OPAQUE_MARK as Name))
    case 'entry':
      if (!baseOf(change.path).startsWith(WHITEOUT_PREFIX)) return encodeHeader(change, size)
      throw new TsbuildError(`write ${quote(change.path)} to a layer: its name means a deletion`, {
        code: 'LAYER_INVALID',
        hint: `layers cannot hold files whose names begin with ${WHITEOUT_PREFIX}: remove or rename it in the same step`,
      })
  }
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
