/**
 * Unpacking of bzip2, which Node does not have. A stream is a sequence of blocks that do not end on
 * byte boundaries. Each block is read as a whole: it has at most 900,000 symbols before its runs are
 * unrolled. Spec: the format as J. Tsai describes it, bzip2 Format Specification, March 2016.
 */
import type { Bytes } from '#core'
import { ByteQueue } from '../bytes/byte-queue.ts'
import { CodecError } from '../bytes/codec-error.ts'
import { BitReader, EndOfBits } from './bit-reader.ts'
import { unrollBlock } from './block.ts'
import { readSymbols } from './symbols.ts'

const STREAM_MAGIC = 0x425a68
const BLOCK_MAGIC = [0x314159, 0x265359]
const END_MAGIC = [0x177245, 0x385090]
const BLOCK_UNIT = 100_000
const MAX_LEVEL = 9
/** More bytes than any block takes: 20 bits for each symbol, and its tables. */
const MAX_PACKED = 2_400_000
const HEADER_BYTES = 4

/** Unpacks all streams, one after another. @throws {CodecError} also for other bytes after the last one */
export async function* unbzip2(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  await using queue = new ByteQueue(bytes)
  const symbols = new Uint32Array(MAX_LEVEL * BLOCK_UNIT)
  do {
    yield* unpackStream(queue, symbols)
  } while ((await queue.peek(1)).length > 0)
}

/** @param memory for a block of any level; a file may have very many empty streams */
async function* unpackStream(
  queue: ByteQueue,
  memory: Uint32Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const header = (await queue.take(HEADER_BYTES)) ?? new Uint8Array(0)
  const level = (header[3] ?? 0) - 0x30
  const magic = ((header[0] ?? 0) << 16) | ((header[1] ?? 0) << 8) | (header[2] ?? 0)
  if (magic !== STREAM_MAGIC || !(level >= 1 && level <= MAX_LEVEL)) {
    throw new CodecError('it does not go on with a stream')
  }
  const symbols = memory.subarray(0, level * BLOCK_UNIT)
  let bitsUsed = 0
  let combined = 0
  for (;;) {
    const bits = new BitReader(await queue.peek(MAX_PACKED), bitsUsed)
    try {
      const mark = [bits.read(24), bits.read(24)]
      const crc = ((bits.read(16) << 16) | bits.read(16)) >>> 0
      if (mark.every((part, index) => part === END_MAGIC[index])) {
        if (crc !== combined) throw new CodecError('the stream has another checksum')
        queue.skip(Math.ceil(bits.position / 8))
        return
      }
      if (mark.some((part, index) => part !== BLOCK_MAGIC[index])) {
        throw new CodecError('it does not go on with a block')
      }
      const block = readSymbols(bits, symbols)
      yield* unrollBlock(block, crc)
      combined = (((combined << 1) | (combined >>> 31)) ^ crc) >>> 0
    } catch (cause) {
      throw cause instanceof EndOfBits ? new CodecError('it ends too early') : cause
    }
    queue.skip(bits.position >>> 3)
    bitsUsed = bits.position & 7
  }
}
