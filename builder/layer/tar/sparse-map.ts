import type { Buffer } from 'node:buffer'
import { numberAt } from './header-decoder.ts'
import type { PaxRecords } from './pax.ts'

/*
 * Which parts of a sparse file a tar holds; the rest are zeros. GNU tar has written it in four ways: in
 * the header and blocks after it (`S`), in PAX records (0.0 and 0.1), and before the content (1.0).
 * Spec: GNU tar manual, Appendix D.4 Storing Sparse Files
 */

/** A part of a sparse file that the tar holds; bytes. */
export interface SparsePart {
  readonly offset: number
  readonly length: number
}

/** The size of the unpacked file, and the parts of it that are not holes. */
export interface SparseForm {
  /** Bytes, including holes. */
  readonly size: number
  readonly parts: readonly SparsePart[]
}

/** Far above what makes sense in an image: reading more zeros would take days. */
const MAX_SIZE = 2 ** 40
/** As much as Go's archive/tar reads of one map, in bytes. */
const MAX_MAP = 1024 * 1024
const MAX_DIGITS = 16
/** Two numbers of twelve bytes. */
const PART_BYTES = 24
const PARTS_IN_HEADER = 4
const PARTS_IN_BLOCK = 21
const HEADER_MAP_AT = 386
const HEADER_MORE_AT = 482
const HEADER_SIZE_AT = 483
const BLOCK_MORE_AT = 504
const GNU_MAGIC = 'ustar  \0'

/** Reads a map block by block. */
export interface SparseMapReader {
  /** @returns whether the map continues in the next block of 512 bytes */
  add(block: Buffer): boolean
  form(): SparseForm
}

/** The map of a header with flag `S`, which is the first block to add. Spec: struct oldgnu_header */
export class OldSparseMap implements SparseMapReader {
  #size: number | undefined
  readonly #parts: SparsePart[] = []
  #bytes = 0

  add(block: Buffer): boolean {
    if (this.#size !== undefined) return this.#addParts(block, 0, PARTS_IN_BLOCK, BLOCK_MORE_AT)
    // star uses the same flag for another format.
    if (block.toString('latin1', 257, 265) !== GNU_MAGIC) throw new Error('a sparse file of star')
    this.#size = numberAt(block, HEADER_SIZE_AT, 12)
    return this.#addParts(block, HEADER_MAP_AT, PARTS_IN_HEADER, HEADER_MORE_AT)
  }

  #addParts(block: Buffer, start: number, count: number, moreAt: number): boolean {
    this.#bytes = checkedLength(this.#bytes + block.length)
    for (let i = 0, at = start; i < count && block[at] !== 0; i++, at += PART_BYTES) {
      this.#parts.push({ offset: numberAt(block, at, 12), length: numberAt(block, at + 12, 12) })
    }
    return block[moreAt] !== 0
  }

  form(): SparseForm {
    return { size: this.#size ?? 0, parts: this.#parts }
  }
}

/** The map of format 1.0: lines of decimal numbers, the first one is the number of parts. */
export class SparseMapText implements SparseMapReader {
  readonly #size: number
  readonly #numbers: number[] = []
  #text = ''
  #bytes = 0

  /** @param size of the unpacked file */
  constructor(size: number) {
    this.#size = size
  }

  add(block: Buffer): boolean {
    this.#bytes = checkedLength(this.#bytes + block.length)
    const lines = (this.#text + block.toString('latin1')).split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) {
      if (this.#isWhole()) return false
      this.#numbers.push(decimal(line))
    }
    if (this.#isWhole()) return false
    if (this.#text.length > MAX_DIGITS) throw new Error('a bad sparse map')
    return true
  }

  #isWhole(): boolean {
    const [count] = this.#numbers
    return count !== undefined && this.#numbers.length > count * 2
  }

  form(): SparseForm {
    return { size: this.#size, parts: partsOf(this.#numbers.slice(1)) }
  }
}

/** PAX records about a sparse file. */
export interface PaxSparse {
  readonly name: string | undefined
  /** Of the unpacked file. */
  readonly size: number | undefined
  /** `undefined`: the map precedes the content. */
  readonly parts: readonly SparsePart[] | undefined
}

/** Reads the records; `undefined` for a file that is not sparse. @throws {Error} for an unknown version */
export function sparseOfPax(pax: PaxRecords): PaxSparse | undefined {
  if (pax.size === 0 || ![...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
    return undefined
  }
  const map = pax.get('GNU.sparse.map')
  const version = `${pax.get('GNU.sparse.major') ?? ''}.${pax.get('GNU.sparse.minor') ?? ''}`
  const isText = version === '1.0'
  const isRecord = map !== undefined && ['0.0', '0.1', '.'].includes(version)
  if (!isText && !isRecord) throw new Error('a sparse file of an unknown version')
  const size = pax.get('GNU.sparse.size') ?? pax.get('GNU.sparse.realsize')
  return {
    name: pax.get('GNU.sparse.name') || undefined,
    size: size === undefined ? undefined : decimal(size),
    parts: isText ? undefined : partsOf((map ?? '').split(',').map(decimal)),
  }
}

/**
 * Checks a map against the number of bytes that the tar has of the file.
 * @throws {Error} when parts overlap, are out of order or range, or are not what the tar has
 */
export function checkSparse({ size, parts }: SparseForm, stored: number): SparseForm {
  if (size < 0 || size > MAX_SIZE) throw new Error(`a sparse file of ${size} bytes`)
  let end = 0
  let sum = 0
  for (const { offset, length } of parts) {
    if (offset < end || length < 0 || offset + length > size) throw new Error('a bad sparse map')
    end = offset + length
    sum += length
  }
  if (sum !== stored) throw new Error(`a sparse map of ${sum} bytes, where there are ${stored}`)
  return { size, parts }
}

function partsOf(numbers: readonly number[]): SparsePart[] {
  if (numbers.length % 2 !== 0) throw new Error('a bad sparse map')
  return Array.from({ length: numbers.length / 2 }, (_, i) => {
    return { offset: numbers[i * 2] ?? 0, length: numbers[i * 2 + 1] ?? 0 }
  })
}

function decimal(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new Error(`bad number ${JSON.stringify(text.slice(0, 50))} in a sparse map`)
}

function checkedLength(bytes: number): number {
  if (bytes <= MAX_MAP) return bytes
  throw new Error(`a sparse map of more than ${MAX_MAP} bytes`)
}
