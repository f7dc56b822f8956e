import type { Bytes, Compression } from '#core'

/** What an archive may be packed with; `xz` and `bzip2` are known by sight only. */
export type ArchiveCompression = Compression | 'xz' | 'bzip2'

export interface DecompressOptions {
  /** Most bytes that may come out. */
  readonly maxSize?: number
  /** Named in errors, e.g. `layer sha256:…`. */
  readonly name?: string
  readonly signal?: AbortSignal | undefined
}

/** By the first (up to 6) bytes of a blob; `none` when they say nothing. */
export function detectCompression(start: Uint8Array): ArchiveCompression {
  throw new Error(`not yet ${start}`)
}

/** Unpacks while reading. @throws {TsbuildError} LAYER_INVALID, UNSUPPORTED (xz, bzip2) */
export function decompress(
  bytes: Bytes,
  compression: Compression | 'detect',
  options: DecompressOptions = {},
): Bytes {
  throw new Error(`not yet ${bytes} ${compression} ${options}`)
}

/** Packs while reading, the same bytes every time. */
export function compress(bytes: Bytes, compression: Compression): Bytes {
  throw new Error(`not yet ${bytes} ${compression}`)
}
