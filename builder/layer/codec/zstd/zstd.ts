import { Buffer } from 'node:buffer'
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib'
import { type Bytes, errnoOf } from '#core'
import { MAX_IN_FLIGHT, packedInOrder } from '../bytes/in-flight.ts'
import { pipeThrough } from '../bytes/transform.ts'
import { packFrame } from './frame.ts'
import { type FramePiece, framesOf } from './frames.ts'

const CHUNK_SIZE = 256 * 1024
/** The balance that zstd's own tool has. */
export const ZSTD_LEVEL = 3

/** As much as readers have to remember, at any level. Spec: RFC 8878, 3.1.1.1.2 */
const WINDOW_LOG = 23
/** What a window holds: a single frame would not be smaller, and is packed by one processor. See ADR 66. */
const FRAME_SIZE = 2 ** WINDOW_LOG
/** libuv has no more threads, and frames are large. */
const MAX_FRAMES = 5

/**
 * Packs into frames with checksums, on libuv's thread pool; equal bytes give equal bytes, however they arrive.
 * @param atOnce how many frames are packed at a time; asked after each frame
 */
export async function* zstd(
  bytes: Bytes,
  atOnce: () => number = () => MAX_IN_FLIGHT,
  level: number = ZSTD_LEVEL,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pack = async (block: Buffer): Promise<Buffer> =>
    packFrame(block, { level, windowLog: WINDOW_LOG })
  const packer = { blockSize: FRAME_SIZE, pack, atOnce: () => Math.min(atOnce(), MAX_FRAMES) }
  let isEmpty = true
  for await (const frame of packedInOrder(bytes, packer)) {
    isEmpty = false
    yield frame
  }
  if (isEmpty) yield await pack(Buffer.alloc(0))
}

/** A frame of so few bytes takes less time to unpack than to tell another thread about. */
const SMALL_FRAME = 64 * 1024
/** What comes out of a small frame as a whole; more comes in pieces. */
const SMALL_RESULT = 4 * 1024 * 1024

/**
 * Unpacks all frames; skippable ones are skipped. `node:zlib` stops after a frame, so each gets a
 * decoder of its own; there are blobs with two of them for every file.
 */
export function unzstd(bytes: Bytes): Bytes {
  return joined(unpackedFrames(bytes))
}

async function* unpackedFrames(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = framesOf(bytes)
  try {
    for (let start = await startOf(pieces); start; start = await startOf(pieces)) {
      const small = unpackSmall(start)
      if (small !== undefined) yield small
      else {
        const frame = restOfFrame(start, pieces)
        yield* pipeThrough(frame, createZstdDecompress({ chunkSize: CHUNK_SIZE }))
      }
    }
  } finally {
    await pieces.return()
  }
}

/** The first bytes of a frame: all of a small one. */
interface FrameStart {
  readonly pieces: readonly Uint8Array[]
  readonly size: number
  readonly isWhole: boolean
}

async function startOf(pieces: AsyncGenerator<FramePiece>): Promise<FrameStart | undefined> {
  const found: Uint8Array[] = []
  let size = 0
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    const { bytes, last: isWhole } = next.value
    found.push(bytes)
    size += bytes.length
    if (isWhole || size > SMALL_FRAME) return { pieces: found, size, isWhole }
  }
  return undefined
}

/** `undefined` for a frame that is not small, or from which much comes. */
function unpackSmall({ pieces, size, isWhole }: FrameStart): Buffer | undefined {
  if (!isWhole || size > SMALL_FRAME) return undefined
  try {
    return zstdDecompressSync(Buffer.concat(pieces, size), { maxOutputLength: SMALL_RESULT })
  } catch (cause) {
    if (errnoOf(cause) === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw cause
  }
}

async function* restOfFrame(
  { pieces: first, isWhole }: FrameStart,
  pieces: AsyncGenerator<FramePiece, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* first
  for (let last = isWhole; !last; ) {
    const next = await pieces.next()
    if (next.done) return
    yield next.value.bytes
    last = next.value.last
  }
}

/** Pieces that are worth being handed on: those of small files come together. */
async function* joined(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const piece of bytes) {
    waiting.push(piece)
    size += piece.length
    if (size < CHUNK_SIZE) continue
    yield waiting.length === 1 ? piece : Buffer.concat(waiting, size)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting, size)
}
