import { CodecError } from '../bytes/codec-error.ts'
import type { BitReader } from './bit-reader.ts'

/** A block whose codes were read: a permuted text, and where it begins. */
export interface PermutedBlock {
  /** Bytes; the upper bits are free. Valid until the next block is read. */
  readonly symbols: Uint32Array
  readonly length: number
  /** Index of the row that is the text itself. */
  readonly origin: number
}

const MAX_CODE = 20
const GROUP_SIZE = 50
const RUN_A = 0
const RUN_B = 1
const FAST_BITS = 10

/** A Huffman code: short codes are found by their first bits, others length by length. */
interface Code {
  /** For every value of the next `FAST_BITS` bits: symbol × 32 + length, or 0. */
  readonly fast: Uint16Array
  /** For each length the first value that is longer, aligned to `MAX_CODE` bits. */
  readonly limits: Uint32Array
  /** For each length what is added to a value to get an index of `order`. */
  readonly bases: Int32Array
  readonly order: Uint16Array
}

/**
 * Reads what follows a block's checksum: its tables, codes, runs and moves to front.
 * @throws {CodecError} for a malformed block, {EndOfBits}
 */
export function readSymbols(bits: BitReader, symbols: Uint32Array): PermutedBlock {
  if (bits.read(1) === 1) throw new CodecError('blocks of bzip2 0.9.0 are not supported')
  const origin = bits.read(24)
  const alphabet = readAlphabet(bits)
  const groups = bits.read(3)
  const selectors = readSelectors(bits, groups)
  const size = alphabet.length + 2
  const codes = Array.from({ length: groups }, () => readCode(bits, size))
  const length = decode(bits, { symbols, alphabet, selectors, codes })
  if (origin >= length) throw new CodecError('a block has no beginning')
  return { symbols, length, origin }
}

/** The bytes that occur, from a map of maps. */
function readAlphabet(bits: BitReader): Uint8Array {
  const used = bits.read(16)
  const bytes: number[] = []
  for (let row = 0; row < 16; row++) {
    if (((used >>> (15 - row)) & 1) === 0) continue
    const map = bits.read(16)
    for (let column = 0; column < 16; column++) {
      if (((map >>> (15 - column)) & 1) === 1) bytes.push(row * 16 + column)
    }
  }
  if (bytes.length === 0) throw new CodecError('a block has no bytes')
  return Uint8Array.from(bytes)
}

/** Which code is used for each group of 50 symbols, as moves to front in unary. */
function readSelectors(bits: BitReader, groups: number): Uint8Array {
  const count = bits.read(15)
  if (groups < 2 || groups > 6 || count === 0) throw new CodecError('a block has no codes')
  const order = Array.from({ length: groups }, (_, index) => index)
  const selectors = new Uint8Array(count)
  for (let index = 0; index < count; index++) {
    let rank = 0
    while (bits.read(1) === 1) rank++
    const [selected] = order.splice(rank, 1)
    if (selected === undefined) throw new CodecError('a code is chosen that is not there')
    order.unshift(selected)
    selectors[index] = selected
  }
  return selectors
}

function readCode(bits: BitReader, size: number): Code {
  const lengths = new Uint8Array(size)
  let length = bits.read(5)
  for (let symbol = 0; symbol < size; symbol++) {
    while (bits.read(1) === 1) length += bits.read(1) === 1 ? -1 : 1
    if (length < 1 || length > MAX_CODE) throw new CodecError('a code is too long')
    lengths[symbol] = length
  }
  return codeOf(lengths)
}

/** The canonical code of these lengths: shorter ones first, then by symbol. */
function codeOf(lengths: Uint8Array): Code {
  const limits = new Uint32Array(MAX_CODE + 2)
  const bases = new Int32Array(MAX_CODE + 1)
  const order = new Uint16Array(lengths.length)
  const fast = new Uint16Array(1 << FAST_BITS)
  let value = 0
  let filled = 0
  for (let length = 1; length <= MAX_CODE; length++) {
    bases[length] = filled - value
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue
      order[filled++] = symbol
      if (length <= FAST_BITS) {
        const shift = FAST_BITS - length
        fast.fill(symbol * 32 + length, value << shift, (value + 1) << shift)
      }
      value++
    }
    if (value > 1 << length) throw new CodecError('codes contradict each other')
    limits[length] = value << (MAX_CODE - length)
    value <<= 1
  }
  return { fast, limits, bases, order }
}

function readSymbol(bits: BitReader, { fast, limits, bases, order }: Code): number {
  const next = bits.peek(MAX_CODE)
  const found = fast[next >>> (MAX_CODE - FAST_BITS)] ?? 0
  if (found !== 0) {
    bits.skip(found & 31)
    return found >>> 5
  }
  let length = 1
  while (length <= MAX_CODE && next >= (limits[length] ?? 0)) length++
  if (length > MAX_CODE) throw new CodecError('a code is unknown')
  bits.skip(length)
  return order[(next >>> (MAX_CODE - length)) + (bases[length] ?? 0)] ?? 0
}

interface Tables {
  readonly symbols: Uint32Array
  readonly alphabet: Uint8Array
  readonly selectors: Uint8Array
  readonly codes: readonly Code[]
}

/** @returns how many symbols there are */
function decode(bits: BitReader, { symbols, alphabet, selectors, codes }: Tables): number {
  const end = alphabet.length + 1
  const front = alphabet
  let length = 0
  let run = 0
  let weight = 1
  for (let group = 0; group < selectors.length; group++) {
    const code = codes[selectors[group] ?? 0]
    if (code === undefined) throw new CodecError('a code is chosen that is not there')
    for (let index = 0; index < GROUP_SIZE; index++) {
      const symbol = readSymbol(bits, code)
      if (symbol === RUN_A || symbol === RUN_B) {
        run += weight << symbol
        weight <<= 1
        if (run > symbols.length) throw new CodecError('a block is too long')
        continue
      }
      if (run > 0) {
        if (length + run > symbols.length) throw new CodecError('a block is too long')
        symbols.fill(front[0] ?? 0, length, length + run)
        length += run
        run = 0
        weight = 1
      }
      if (symbol === end) return length
      if (length >= symbols.length) throw new CodecError('a block is too long')
      const byte = front[symbol - 1] ?? 0
      front.copyWithin(1, 0, symbol - 1)
      front[0] = byte
      symbols[length++] = byte
    }
  }
  throw new CodecError('a block has no end')
}
