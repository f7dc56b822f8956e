import { closeSync, openSync } from 'node:fs'
import type { Name } from '#core'
import { readHeaders } from './read-headers.ts'
import { TarReader } from './tar-reader.ts'

/** A file of a tar. */
export interface LargestFile {
  readonly path: Name
  /** Bytes. */
  readonly size: number
}

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
    readHeaders(file, reader)
  } finally {
    closeSync(file)
  }
  return largest
}
