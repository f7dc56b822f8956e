import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, type ZlibOptions } from 'node:zlib'
import type { Bytes } from '#core'
import { blocksOf } from './bytes/blocks.ts'
import { MAX_IN_FLIGHT } from './bytes/in-flight.ts'

/** Each block costs the main thread a message to another one. */
const BLOCK_SIZE = 2 * 1024 * 1024
/** Between zlib's default, 6, and what Go's packages make of theirs, in time and size. See ADR 38. */
const LEVEL = 4
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
  const inFlight: Promise<Buffer>[] = []
  let crc = 0
  let size = 0
  let dictionary: Buffer | undefined
  for await (const block of blocksOf(bytes, BLOCK_SIZE)) {
    crc = crc32(block, crc)
    size += block.length
    inFlight.push(compressBlock(block, dictionary, level))
    dictionary = block.subarray(-WINDOW)
    const most = Math.min(atOnce(), MAX_IN_FLIGHT)
    const oldest = inFlight.length >= most ? inFlight.shift() : undefined
    if (oldest !== undefined) yield await oldest
  }
  for (const compressed of inFlight) yield await compressed
  yield LAST_BLOCK
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  yield trailer
}

/** Whole bytes that do not end the stream. */
function compressBlock(
  block: Buffer,
  dictionary: Buffer | undefined,
  level: number,
): Promise<Buffer> {
  // In here: a build that packs nothing does without zlib.
  const deflate: (block: Buffer, options: ZlibOptions) => Promise<Buffer> = promisify(deflateRaw)
  const compressed = deflate(block, {
    level,
    finishFlush: constants.Z_SYNC_FLUSH,
    // What is packed fits into one piece, unless it cannot be packed.
    chunkSize: Math.max(block.length, MIN_CHUNK),
    ...(dictionary === undefined ? {} : { dictionary }),
  })
  // The rejection reaches the consumer that awaits this block, if it gets that far.
  compressed.catch(() => {})
  return compressed
}
