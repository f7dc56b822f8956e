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
import { BLOCK, paddingAfter } from '../content/blocks.ts'
import type { CopyBuffer } from '../content/copy-buffer.ts'
import type { ContentsWriter } from '../contents/contents-writer.ts'
import type { ChunkNotes } from '../contents/tar-chunks.ts'
import { quote } from '../paths/quote.ts'
import { OPAQUE_MARK, WHITEOUT_PREFIX, whiteoutPath } from '../paths/whiteout.ts'
import { encodeHeader, encodeWhiteout, headerKey } from './header-encoder.ts'

/** Small enough to stay in the CPU's cache between reading, hashing and writing. */
const BUFFER_SIZE = 512 * 1024

/** The end of a tar are two blocks of zeros. Spec: POSIX pax, ustar Interchange Format */
const END_BYTES = 2 * BLOCK

/** Where the end is in a tar of `size` bytes. */
export function tarEnd(size: number): { readonly position: number; readonly size: number } {
  return { position: size - END_BYTES, size: END_BYTES }
}

/** What else gets what a tar writer writes. */
export interface TarReaders {
  /** See `LayerSinks`. */
  readonly reader?: Ring | undefined
  readonly contents?: ContentsWriter | undefined
  readonly chunks?: ChunkNotes | undefined
}

/** Writes a layer's tar: everything is copied through one buffer, digested and written. */
export class TarWriter implements CopyBuffer {
  readonly #fd: number | undefined
  /** Of a file of its own. */
  readonly #holes: HoleWriter | undefined
  readonly #reader: RingWriter | undefined
  readonly #contents: ContentsWriter | undefined
  readonly #chunks: ChunkNotes | undefined
  readonly #digester = new Digester()
  #size = 0
  /** File content is read directly into it, at `used`. */
  buffer: Buffer
  /** Bytes of `buffer` that are taken. */
  used = 0

  /** `target`: a file to create, or a descriptor that stays open; `undefined`: only readers get the tar. */
  constructor(target: string | number | undefined, { reader, contents, chunks }: TarReaders = {}) {
    this.#reader = reader === undefined ? undefined : new RingWriter(reader)
    this.#contents = contents
    this.#chunks = chunks
    this.buffer = this.#reader?.slot() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE)
    this.#fd = typeof target === 'string' ? openSync(target, 'wx', 0o644) : target
    const isOwn = typeof target === 'string' && this.#fd !== undefined
    this.#holes = isOwn ? new HoleWriter(this.#fd) : undefined
  }

  /** Bytes so far. */
  get position(): number {
    return this.#size + this.used
  }

  /** Writes the header of a change. Its content follows in the buffer, and then `pad`. */
  header(change: Change, size: number): void {
    const before = this.position
    for (const block of headerOf(change, size)) this.#append(block)
    if (this.#contents === undefined) return
    if (change.kind !== 'entry') {
      this.#contents.abandon()
      return
    }
    const isDirectory = change.stat.type === 'directory'
    const headerBytes = this.position - before
    const header = headerKey(change)
    this.#contents.begin({ path: change.path, header, isDirectory, headerBytes, size })
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
    const end = this.used + paddingAfter(size)
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
    if (this.#holes !== undefined) this.#holes.write(taken)
    else if (this.#fd !== undefined) writeFully(this.#fd, taken, 0, taken.length)
    this.#chunks?.add(taken)
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
    this.#append(Buffer.alloc(END_BYTES))
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
    if (this.#holes !== undefined && this.#fd !== undefined) closeSync(this.#fd)
  }
}

/** The blocks of a header. @throws {TsbuildError} LAYER_INVALID for a name that means something else */
function headerOf(change: Change, size: number): readonly Buffer[] {
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
