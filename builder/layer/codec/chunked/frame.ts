import type { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { constants, type ZstdOptions, zstdCompress, zstdCompressSync } from 'node:zlib'

/** Up to so many bytes a message to another thread takes longer than packing them here. */
const SMALL = 64 * 1024
const CHUNK_SIZE = 256 * 1024
/** Beside what cannot be packed: headers of the frame and its blocks, and the checksum. */
const OVERHEAD = 512

/** As plain zstd is packed: with a checksum. */
export function frameOptions(level: number): ZstdOptions {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 }
  return { params, chunkSize: CHUNK_SIZE }
}

/** Packs bytes into one frame; large ones on libuv's thread pool. Equal bytes give equal frames. */
export function packFrame(bytes: Buffer, level: number): Buffer | Promise<Buffer> {
  const options = {
    ...frameOptions(level),
    // It tells readers how much comes out, and the packer how small its tables can be.
    pledgedSrcSize: bytes.length,
    chunkSize: bytes.length + OVERHEAD,
  }
  if (bytes.length <= SMALL) return zstdCompressSync(bytes, options)
  const pack: (bytes: Buffer, options: ZstdOptions) => Promise<Buffer> = promisify(zstdCompress)
  const packed = pack(bytes, options)
  // The rejection reaches the consumer that awaits this frame, if it gets that far.
  packed.catch(() => {})
  return packed
}
