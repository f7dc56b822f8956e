import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, type ZlibOptions } from 'node:zlib'
import type { Bytes } from '#core'
import { MAX_IN_FLIGHT, packedInOrder } from './bytes/in-flight.ts'

/** Each block costs the main thread a message to another one. */
const BLOCK_SIZE = 2 * 1024 * 1024
/** Between zlib's default, 6, and what Go's packages make of theirs, in time and size. See ADR 38. */
const LEVEL = 4
/** Of a block, two of them are looked at. */
const SAMPLE_SIZE = 16 * 1024
/** The least that zlib takes. */
const MIN_CHUNK = 64
/** Deflate looks back no further. */
const WINDOW = 32 * 1024
/** Deflate, no name, no time, system "unknown". Spec: RFC 1952, 2.3 */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** An empty last block. Spec: RFC 1951, 3.2.3 */
const LAST_BLOCK = Buffer.from([0x03, 0x00])

/**
 * Packs into one gzip member, in blocks on libuv's thread pool. The dictionary of a block is the end of
 * the one before it, so the result is as small as that of a single stream. Equal bytes give equal bytes.
 * @param atOnce how many blocks are packed at a time; asked after each block
 */
export async function* gzip(
  bytes: Bytes,
  atOnce: () => number = () => MAX_IN_FLIGHT,
  level: number = LEVEL,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield HEADER
  let crc = 0
  let size = 0
  let dictionary: Buffer | undefined
  const pack = (block: Buffer): Promise<Buffer> => {
    crc = crc32(block, crc)
    size += block.length
    const compressed = compressBlock(block, dictionary, level)
    // A copy: the block is used again.
    dictionary = Buffer.from(block.subarray(-WINDOW))
    return compressed
  }
  yield* packedInOrder(bytes, { blockSize: BLOCK_SIZE, pack, atOnce })
  yield LAST_BLOCK
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  yield trailer
}

type Deflate = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>

/** Whole bytes that do not end the stream. */
async function compressBlock(
  block: Buffer,
  dictionary: Buffer | undefined,
  level: number,
): Promise<Buffer> {
  // In here: a build that packs nothing does without zlib.
  const deflate: Deflate = promisify(deflateRaw)
  return await deflate(block, {
    level,
    strategy: await strategyOf(block, level, deflate),
    finishFlush: constants.Z_SYNC_FLUSH,
    // What is packed fits into one piece, unless it cannot be packed.
    chunkSize: Math.max(block.length, MIN_CHUNK),
    ...(dictionary === undefined ? {} : { dictionary }),
  })
}

/**
 * Whether to look for strings that occurred before. In what is packed already, and in the weights of models, there
 * are none, and looking for them takes most of the time; a sample tells. See ADR 66.
 */
async function strategyOf(block: Buffer, level: number, deflate: Deflate): Promise<number> {
  const { Z_DEFAULT_STRATEGY, Z_RLE } = constants
  if (level === 0 || block.length < 4 * SAMPLE_SIZE) return Z_DEFAULT_STRATEGY
  const sample = Buffer.concat(
    [block.length >> 2, 3 * (block.length >> 2)].map((at) => block.subarray(at, at + SAMPLE_SIZE)),
  )
  const [matched, coded] = await Promise.all([
    deflate(sample, { level }),
    deflate(sample, { level, strategy: Z_RLE }),
  ])
  return coded.length <= matched.length ? Z_RLE : Z_DEFAULT_STRATEGY
}
