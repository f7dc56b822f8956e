import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { Bytes } from '#core'
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

/**
 * Unpacks all frames; skippable ones are skipped. `node:zlib` stops after a frame, so each gets a
 * decoder of its own.
 */
export async function* unzstd(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = framesOf(bytes)
  try {
    for (let first = await pieces.next(); !first.done; first = await pieces.next()) {
      const frame = restOfFrame(first.value, pieces)
      yield* pipeThrough(frame, createZstdDecompress({ chunkSize: CHUNK_SIZE }))
    }
  } finally {
    await pieces.return()
  }
}

async function* restOfFrame(
  first: FramePiece,
  pieces: AsyncGenerator<FramePiece, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first.bytes
  for (let last = first.last; !last; ) {
    const next = await pieces.next()
    if (next.done) return
    yield next.value.bytes
    last = next.value.last
  }
}
