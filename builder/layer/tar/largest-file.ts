import { Buffer } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Name } from '#core'
import { TarReader } from './tar-reader.ts'

/** A file of a tar. */
export interface LargestFile {
  readonly path: Name
  /** Bytes. */
  readonly size: number
}

const CHUNK = 64 * 1024

/**
 * The largest regular file in a tar, of which only the headers are read.
 * @throws {Error} with what is wrong with the tar
 */
export function largestFile(tar: string): LargestFile | undefined {
  let largest: LargestFile | undefined
  const reader = new TarReader({
    entry: ({ type, name, size }) => {
      if (type === 'file' && size > (largest?.size ?? -1)) largest = { path: name, size }
    },
    content: () => undefined,
    hole: () => undefined,
    end: () => undefined,
  })
  const file = openSync(tar, 'r')
  try {
    const chunk = Buffer.allocUnsafeSlow(CHUNK)
    for (;;) {
      const got = readSync(file, chunk, 0, CHUNK, reader.position)
      const before = reader.position
      if (got > 0) reader.write(chunk.subarray(0, got))
      if (got === 0 || reader.position < before + got) break
      if (reader.skippable > 0) reader.skip()
    }
  } finally {
    closeSync(file)
  }
  return largest
}
