import { Buffer } from 'node:buffer'
import { readSync } from 'node:fs'
import type { TarReader } from './tar-reader.ts'

/** Bytes that are read at a time: small files come with their headers, large ones are skipped. */
const CHUNK = 64 * 1024

/**
 * Reads a tar from its beginning without the contents of large files. Calling `reader.end` is left to the caller.
 * @param isEnough asked after each piece: whether the rest does not matter
 * @throws {Error} with what is wrong with the tar, and what the handler throws
 */
export function readHeaders(
  descriptor: number,
  reader: TarReader,
  isEnough: () => boolean = () => false,
): void {
  const chunk = Buffer.allocUnsafeSlow(CHUNK)
  for (;;) {
    const got = readSync(descriptor, chunk, 0, CHUNK, reader.position)
    if (got === 0) return
    const before = reader.position
    reader.write(chunk.subarray(0, got))
    // The zeros after the end are not read.
    if (isEnough() || reader.position < before + got) return
    if (reader.skippable > 0) reader.skip()
  }
}
