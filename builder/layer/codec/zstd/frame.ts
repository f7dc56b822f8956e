import type { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { constants, type ZstdOptions, zstdCompress, zstdCompressSync } from 'node:zlib'

/** Up to so many bytes a message to another thread takes longer than packing them here. */
const SMALL = 64 * 1024
const CHUNK_SIZE = 256 * 1024
/** Results are put together of pieces of this size: most are much smaller than what was packed. */
const MAX_CHUNK = 2 * 1024 * 1024
/** Beside what cannot be packed: headers of the frame and its blocks, and the checksum. */
const OVERHEAD = 512

/** With a checksum. */
export function frameOptions(level: number): ZstdOptions {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
  return { params, chunkSize: CHUNK_SIZE }
}

/**
 * Packs bytes into one frame; large ones on libuv's thread pool. Equal bytes give equal frames.
 * @param options.windowLog how far matches are looked for, as a power of two; default: the level's
 */
export function packFrame(
  bytes: Buffer,
  { level, windowLog }: { readonly level: number; readonly windowLog?: number },
): Buffer | Promise<Buffer> {
  const { params, ...rest } = frameOptions(level)
  const window = windowLog === undefined ? {} : { [constants.ZSTD_c_windowLog]: windowLog }
  const options = {
    ...rest,
    params: { ...params, ...window },
    // It tells readers how much comes out, and the packer how small its tables can be.
    pledgedSrcSize: bytes.length,
    chunkSize: Math.min(bytes.length + OVERHEAD, MAX_CHUNK),
  }
  if (bytes.length <= SMALL) return zstdCompressSync(bytes, options)
  const pack: (bytes: Buffer, options: ZstdOptions) => Promise<Buffer> = promisify(zstdCompress)
  return pack(bytes, options)
}
