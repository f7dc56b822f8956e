import zlib from 'node:zlib'
import type { Bytes } from '#core'
import { blocksOf } from '../bytes/blocks.ts'
import { through } from '../bytes/transform.ts'
import { type FramePiece, framesOf } from './frames.ts'

const CHUNK_SIZE = 256 * 1024
const LEVEL = 3

/** Since Node 22.15 and 23.8. */
function hasNativeZstd(): boolean {
  return typeof zlib.createZstdCompress === 'function'
}

/** One frame with a checksum; equal bytes give equal bytes, however they arrive. */
export function zstd(bytes: Bytes): Bytes {
  if (!hasNativeZstd()) return byCodec(bytes, 'zstdByCodec')
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants
  const params = { [ZSTD_c_compressionLevel]: LEVEL, [ZSTD_c_checksumFlag]: 1 }
  const blocks = blocksOf(bytes, CHUNK_SIZE)
  return through(blocks, zlib.createZstdCompress({ params, chunkSize: CHUNK_SIZE }))
}

/** All frames; skippable ones are skipped. */
export function unzstd(bytes: Bytes): Bytes {
  return hasNativeZstd() ? unzstdNatively(bytes) : byCodec(bytes, 'unzstdByCodec')
}

/** Loaded when needed: hardly any Node lacks zstd. */
async function* byCodec(
  bytes: Bytes,
  name: 'zstdByCodec' | 'unzstdByCodec',
): AsyncGenerator<Uint8Array, void, undefined> {
  const fallback = await import('./zstd-fallback.ts')
  yield* fallback[name](bytes)
}

/** `node:zlib` stops after a frame, so each gets a decoder of its own. */
async function* unzstdNatively(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = framesOf(bytes)
  try {
    for (let first = await pieces.next(); !first.done; first = await pieces.next()) {
      const frame = restOfFrame(first.value, pieces)
      yield* through(frame, zlib.createZstdDecompress({ chunkSize: CHUNK_SIZE }))
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
