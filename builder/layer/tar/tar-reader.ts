import { Buffer } from 'node:buffer'
import { type Bytes, checkpoint, type Name, TsbuildError } from '#core'
import { BLOCK, paddingAfter } from '../content/blocks.ts'
import { decodeBlock, isZeroBlock, type TarBlock } from './header-decoder.ts'
import { decodePax, type PaxRecords } from './pax.ts'
import { type ContentHandler, SparseContent } from './sparse-content.ts'
import {
  checkSparse,
  OldSparseMap,
  type SparseForm,
  type SparseMapReader,
  SparseMapText,
  sparseOfPax,
} from './sparse-map.ts'
import { type LongNames, SPARSE_FLAG, type TarEntry, toEntry } from './tar-entry.ts'

/** Bytes of records and long names; the limit of Go's archive/tar. */
const MAX_META_SIZE = 1024 * 1024

/** Gets the entries and contents of a tar in their order. */
export interface TarHandler extends ContentHandler {
  /** @param pax the records about it alone */
  entry(entry: TarEntry, pax: PaxRecords): void
  /** The content of the last entry is complete. */
  end(): void
}

/** What the next bytes are. */
type State = 'header' | 'meta' | 'map' | 'content' | 'padding' | 'ended'

const NO_RECORDS: PaxRecords = new Map()
const NO_NAMES: LongNames = { name: undefined, linkname: undefined }

interface OpenSparse {
  readonly entry: TarEntry
  readonly map: SparseMapReader
  /** Whether the size of the entry includes the map. */
  readonly isInContent: boolean
  /** Bytes of content that are still to be read, including the map. */
  left: number
}

/**
 * Reads a tar piece by piece as it arrives, synchronously, so that a worker thread can write files
 * between two pieces. It accepts no more than Go's archive/tar does: a layer in which two readers see
 * different files is an attack.
 */
export class TarReader {
  /** Whether records for all entries were read, which git-archive(1) writes first. */
  hasGlobalRecords = false
  /** Bytes that were read or skipped. While the handler gets an entry: where the content begins. */
  position = 0
  readonly #handler: TarHandler
  #state: State = 'header'
  /** Bytes that are missing from the current header, content or padding. */
  #left = BLOCK
  /** Pieces of a header or meta entry that is incomplete. */
  #pieces: Buffer[] = []
  #metaFlag = ''
  #metaPadding = 0
  #contentPadding = 0
  #zeroBlocks = 0
  #pax: PaxRecords = NO_RECORDS
  /** Those of the current entry. */
  #records: PaxRecords = NO_RECORDS
  #long: LongNames = NO_NAMES
  /** A sparse file whose map is being read. */
  #sparse: OpenSparse | undefined
  /** The content of a sparse file. */
  #content: SparseContent | undefined

  constructor(handler: TarHandler) {
    this.#handler = handler
  }

  /** Reads the next bytes. @throws {Error} with what is wrong, or what the handler throws */
  write(bytes: Buffer): void {
    checkpoint()
    for (let at = 0; at < bytes.length && this.#state !== 'ended'; ) {
      const end = Math.min(at + this.#left, bytes.length)
      this.#left -= end - at
      this.position += end - at
      this.#take(bytes.subarray(at, end))
      at = end
    }
  }

  /** Bytes of content and padding that come next and need not be read; 0 in a sparse file. */
  get skippable(): number {
    if (this.#state === 'padding') return this.#left
    const isPlain = this.#state === 'content' && this.#content === undefined
    return isPlain ? this.#left + this.#contentPadding : 0
  }

  /** Goes on as if the bytes that can be skipped had been read. */
  skip(): void {
    const isContent = this.#state === 'content'
    this.position += this.skippable
    if (isContent) this.#handler.end()
    this.#await('header', BLOCK)
  }

  /**
   * To be called after the last byte. A missing end mark is accepted, and missing padding: docker's client ends so the
   * context of a build whose Dockerfile comes from its input.
   */
  end(): void {
    const isBetween = this.#state === 'header' && this.#left === BLOCK
    if (isBetween || this.#state === 'padding' || this.#state === 'ended') return
    throw new Error('unexpected end')
  }

  /** `piece` never reaches beyond the current part. */
  #take(piece: Buffer): void {
    switch (this.#state) {
      case 'header':
      case 'meta':
      case 'map':
        if (this.#left > 0) this.#pieces.push(Buffer.from(piece))
        else this.#takeWhole(piece)
        break
      case 'content':
        if (this.#content === undefined) this.#handler.content(piece)
        else this.#content.add(piece)
        if (this.#left === 0) this.#endContent()
        break
      case 'padding':
        if (this.#left === 0) this.#await('header', BLOCK)
        break
      case 'ended':
        break
    }
  }

  #takeWhole(last: Buffer): void {
    const whole = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    if (this.#state === 'header') this.#header(whole)
    else if (this.#state === 'meta') this.#meta(whole)
    else this.#map(whole)
  }

  #await(state: State, bytes: number): void {
    this.#state = state
    this.#left = bytes
  }

  #header(block: Buffer): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      this.#zeroBlocks += 1
      this.#await(this.#zeroBlocks === 2 ? 'ended' : 'header', BLOCK)
      return
    }
    if (this.#zeroBlocks > 0) throw new Error('a lone zero block between entries')
    const fields = decodeBlock(block)
    if (fields.size < 0) throw new Error('negative size')
    if ('xgLK'.includes(fields.flag)) this.#beginMeta(fields)
    else this.#begin(fields, block)
  }

  #beginMeta({ flag, size }: TarBlock): void {
    if (size > MAX_META_SIZE) throw new Error(`extended header of ${size} bytes is too long`)
    this.#metaFlag = flag
    this.#metaPadding = paddingAfter(size)
    this.#await('meta', size)
    if (size === 0) this.#takeWhole(Buffer.alloc(0))
  }

  #meta(body: Buffer): void {
    const text = () => body.toString('latin1').replace(/\0.*$/s, '')
    if (this.#metaFlag === 'x') this.#pax = decodePax(body)
    else if (this.#metaFlag === 'L') this.#long = { ...this.#long, name: text() }
    else if (this.#metaFlag === 'K') this.#long = { ...this.#long, linkname: text() }
    else this.#takeGlobal(body)
    this.#await('padding', this.#metaPadding)
    if (this.#metaPadding === 0) this.#await('header', BLOCK)
  }

  /** Validates the records and ignores them, like docker and containerd. */
  #takeGlobal(body: Buffer): void {
    decodePax(body)
    this.hasGlobalRecords = true
  }

  #begin(fields: TarBlock, block: Buffer): void {
    const entry = toEntry(fields, this.#pax, this.#long)
    const sparse = sparseOfPax(this.#pax)
    this.#records = this.#pax
    this.#pax = NO_RECORDS
    this.#long = NO_NAMES
    this.#contentPadding = paddingAfter(entry.size)
    if (fields.flag === SPARSE_FLAG) {
      this.#beginMap(entry, new OldSparseMap(), block)
    } else if (sparse === undefined) {
      this.#beginContent(entry, entry.size)
    } else {
      if (entry.type !== 'file') throw new Error('a sparse file that is not a file')
      const named = { ...entry, name: (sparse.name ?? entry.name) as Name }
      const size = sparse.size ?? entry.size
      if (sparse.parts === undefined) this.#beginMap(named, new SparseMapText(size), undefined)
      else this.#beginSparse(named, { size, parts: sparse.parts }, entry.size)
    }
  }

  /** @param block the first one of the map; absent when it is part of the content */
  #beginMap(entry: TarEntry, map: SparseMapReader, block: Buffer | undefined): void {
    this.#sparse = { entry, map, left: entry.size, isInContent: block === undefined }
    this.#awaitMap(block === undefined || map.add(block))
  }

  #awaitMap(continues: boolean): void {
    const { entry, map, left, isInContent } = this.#openSparse()
    if (!continues) this.#beginSparse(entry, map.form(), left)
    else if (isInContent && left < BLOCK) throw new Error('a sparse map without an end')
    else this.#await('map', BLOCK)
  }

  #map(block: Buffer): void {
    const sparse = this.#openSparse()
    if (sparse.isInContent) sparse.left -= BLOCK
    this.#awaitMap(sparse.map.add(block))
  }

  /** @param stored bytes of the content in the tar */
  #beginSparse(entry: TarEntry, form: SparseForm, stored: number): void {
    const { size } = checkSparse(form, stored)
    this.#sparse = undefined
    this.#content = new SparseContent(form, this.#handler)
    this.#beginContent({ ...entry, size }, stored)
  }

  #openSparse(): OpenSparse {
    if (this.#sparse === undefined) throw new Error('no sparse file')
    return this.#sparse
  }

  #beginContent(entry: TarEntry, stored: number): void {
    this.#await('content', stored)
    this.#handler.entry(entry, this.#records)
    if (stored === 0) this.#endContent()
  }

  #endContent(): void {
    this.#await('padding', this.#contentPadding)
    if (this.#contentPadding === 0) this.#await('header', BLOCK)
    this.#content?.end()
    this.#content = undefined
    this.#handler.end()
  }
}

/** True when the first 512 bytes of something are the header of a tar's first entry. */
export function isTarHeader(start: Uint8Array): boolean {
  if (start.length < BLOCK || start[0] === 0) return false
  try {
    decodeBlock(Buffer.from(start.buffer, start.byteOffset, BLOCK))
    return true
  } catch {
    return false
  }
}

/**
 * Whether bytes are a tar with at least one entry; records for all entries count. Reads no further than
 * the first one.
 */
export async function isArchive(bytes: Bytes): Promise<boolean> {
  const search = new EntrySearch()
  const reader = new TarReader(search)
  try {
    for await (const chunk of bytes) {
      reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
      if (search.isFound || reader.hasGlobalRecords) return true
    }
    return false
  } catch (cause) {
    if (search.isFound) return true
    if (cause instanceof TsbuildError && cause.code !== 'LAYER_INVALID') throw cause
    return false
  }
}

class EntrySearch implements TarHandler {
  isFound = false

  entry(): void {
    this.isFound = true
  }

  content(): void {}

  hole(): void {}

  end(): void {}
}
