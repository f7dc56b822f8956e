import { Buffer } from 'node:buffer'
import type { Bytes } from '#core'
import { CodecError } from '../bytes/codec-error.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50

/** A piece of one frame; frames follow each other. */
export interface FramePiece {
  readonly bytes: Uint8Array
  /** The frame ends with it. */
  readonly last: boolean
}

type Kind = 'magic' | 'skip-size' | 'skip' | 'descriptor' | 'header' | 'block' | 'data' | 'checksum'

/** Bytes of known length, which determine what follows. */
interface Part {
  readonly kind: Kind
  readonly length: number
}

const MAGIC_PART: Part = { kind: 'magic', length: 4 }
const MAGIC_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const DICTIONARY_ID_SIZES = [0, 1, 2, 4]
const CONTENT_SIZE_SIZES = [0, 2, 4, 8]
const BLOCK_HEADER: Part = { kind: 'block', length: 3 }
const RLE_BLOCK = 1
const RESERVED_BLOCK = 3

/**
 * Cuts a zstd file into its frames, without the skippable ones, because `node:zlib` stops after the first
 * frame. Spec: RFC 8878, 3.1.
 * @throws {CodecError} when it is not zstd or ends too early
 */
export async function* framesOf(bytes: Bytes): AsyncGenerator<FramePiece, void, undefined> {
  const scanner = new FrameScanner()
  for await (const chunk of bytes) yield* scanner.scan(chunk)
  if (!scanner.isAtEnd) throw new CodecError('unexpected end')
}

class FrameScanner {
  isAtEnd = false
  #part = MAGIC_PART
  /** How many bytes of the part have been seen; of a short one also which. */
  #seen = 0
  readonly #short = Buffer.alloc(16)
  #inFrame = false
  #isLastBlock = false
  #hasChecksum = false

  #take(bytes: Uint8Array): number {
    const taken = Math.min(this.#part.length - this.#seen, bytes.length)
    const isLong = this.#part.kind === 'data' || this.#part.kind === 'skip'
    if (!isLong) this.#short.set(bytes.subarray(0, taken), this.#seen)
    this.#seen += taken
    return taken
  }

  *scan(chunk: Uint8Array): Generator<FramePiece, void, undefined> {
    let start = 0
    for (let at = 0; at < chunk.length; ) {
      at += this.#take(chunk.subarray(at))
      this.isAtEnd = false
      const wasInFrame = this.#inFrame
      while (this.#seen === this.#part.length) this.#enter(this.#next())
      if (wasInFrame && !this.#inFrame) {
        yield { bytes: chunk.subarray(start, at), last: true }
      } else if (this.#inFrame && !wasInFrame) {
        // The magic number may have come in an earlier chunk.
        yield { bytes: MAGIC_BYTES, last: false }
        start = at
      }
    }
    if (this.#inFrame && start < chunk.length) yield { bytes: chunk.subarray(start), last: false }
  }

  #enter(part: Part): void {
    this.#part = part
    this.#seen = 0
    this.isAtEnd = part === MAGIC_PART
    this.#inFrame = part !== MAGIC_PART && part.kind !== 'skip-size' && part.kind !== 'skip'
  }

  #next(): Part {
    switch (this.#part.kind) {
      case 'magic':
        return this.#afterMagic(this.#short.readUInt32LE(0))
      case 'skip-size':
        return { kind: 'skip', length: this.#short.readUInt32LE(0) }
      case 'descriptor':
        return this.#frameHeader(this.#short.readUInt8(0))
      case 'header':
        return BLOCK_HEADER
      case 'block':
        return this.#afterBlockHeader(this.#short.readUIntLE(0, 3))
      case 'data':
        if (!this.#isLastBlock) return BLOCK_HEADER
        return this.#hasChecksum ? { kind: 'checksum', length: 4 } : MAGIC_PART
      case 'skip':
      case 'checksum':
        return MAGIC_PART
    }
  }

  #afterMagic(magic: number): Part {
    if (magic === MAGIC) return { kind: 'descriptor', length: 1 }
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) return { kind: 'skip-size', length: 4 }
    throw new CodecError('no zstd frame where one should begin')
  }

  #frameHeader(descriptor: number): Part {
    const isSingleSegment = (descriptor & 0x20) !== 0
    this.#hasChecksum = (descriptor & 0x04) !== 0
    const dictionary = DICTIONARY_ID_SIZES[descriptor & 3] ?? 0
    const contentSize = CONTENT_SIZE_SIZES[descriptor >> 6] ?? 0
    const window = isSingleSegment ? 0 : 1
    const shortSize = isSingleSegment && contentSize === 0 ? 1 : 0
    return { kind: 'header', length: window + dictionary + contentSize + shortSize }
  }

  #afterBlockHeader(header: number): Part {
    this.#isLastBlock = (header & 1) !== 0
    const type = (header >> 1) & 3
    if (type === RESERVED_BLOCK) throw new CodecError('reserved block type')
    return { kind: 'data', length: type === RLE_BLOCK ? 1 : header >> 3 }
  }
}
