import { CodecError } from '../bytes/codec-error.ts'
import type { PermutedBlock } from './symbols.ts'

const CHUNK_BYTES = 256 * 1024
const RUN = 4
/** The most bytes for a symbol: five symbols may be a run of 4 and 255 more. */
const MOST_PER_SYMBOL = 52
const LONGEST_RUN = 255
const POLYNOMIAL = 0x04c11db7
const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? POLYNOMIAL : 0)
  return crc >>> 0
})

/**
 * Undoes the permutation of a block and unrolls its runs: four equal bytes are followed by the number
 * of more of them. @throws {CodecError} unless the result has the checksum `crc`
 */
export function* unrollBlock(block: PermutedBlock, crc: number): Generator<Uint8Array> {
  const { symbols, length } = block
  let at = link(block)
  let sum = 0xffffffff
  let previous = -1
  let equal = 0
  // A file may have very many blocks that are almost empty.
  const size = Math.min(CHUNK_BYTES, length * MOST_PER_SYMBOL + LONGEST_RUN)
  let chunk = new Uint8Array(size)
  let filled = 0
  for (let index = 0; index < length; index++) {
    const next = symbols[at] ?? 0
    const byte = next & 0xff
    at = next >>> 8
    const count = equal === RUN ? byte : 1
    const value = equal === RUN ? previous : byte
    equal = equal === RUN ? 0 : byte === previous ? equal + 1 : 1
    previous = equal === 0 ? -1 : byte
    if (filled + count > size) {
      yield chunk.subarray(0, filled)
      chunk = new Uint8Array(size)
      filled = 0
    }
    for (let copy = 0; copy < count; copy++) {
      chunk[filled++] = value
      sum = (sum << 8) ^ (CRC_TABLE[(sum >>> 24) ^ value] ?? 0)
    }
  }
  if (~sum >>> 0 !== crc) throw new CodecError('a block has another checksum')
  yield chunk.subarray(0, filled)
}

/** Writes the index of the next byte above each byte. @returns the index of the first one */
function link({ symbols, length, origin }: PermutedBlock): number {
  const starts = new Uint32Array(256)
  for (let index = 0; index < length; index++) {
    const byte = (symbols[index] ?? 0) & 0xff
    starts[byte] = (starts[byte] ?? 0) + 1
  }
  let total = 0
  for (let byte = 0; byte < 256; byte++) {
    const count = starts[byte] ?? 0
    starts[byte] = total
    total += count
  }
  for (let index = 0; index < length; index++) {
    const byte = (symbols[index] ?? 0) & 0xff
    const place = starts[byte] ?? 0
    starts[byte] = place + 1
    symbols[place] = ((symbols[place] ?? 0) & 0xff) | (index << 8)
  }
  return (symbols[origin] ?? 0) >>> 8
}
