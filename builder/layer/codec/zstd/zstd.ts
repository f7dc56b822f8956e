import { Buffer } from 'node:buffer'
import { constants, createZstdCompress, createZstdDecompress, zstdDecompressSync } from 'node:zlib'
import { type Bytes, errnoOf } from '#core'
import { blocksOf } from '../bytes/blocks.ts'
import { pipeThrough } from '../bytes/transform.ts'
import { type FramePiece, framesOf } from './frames.ts'

const CHUNK_SIZE = 256 * 1024
/** The balance that zstd's own tool has. */
export const ZSTD_LEVEL = 3

/** Packs into one frame with a checksum; equal bytes give equal bytes, however they arrive. */
export function zstd(bytes: Bytes, level: number = ZSTD_LEVEL): Bytes {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
  const blocks = blocksOf(bytes, CHUNK_SIZE)
  return pipeThrough(blocks, createZstdCompress({ params, chunkSize: CHUNK_SIZE }))
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
