import { Buffer } from 'node:buffer'
import { fstatSync, readSync } from 'node:fs'

/**
 * The content of the regular file that a descriptor is of, from its beginning; the caller closes it.
 * @returns `undefined` when it has more than `limit` bytes, or grows while it is read
 */
export function readLimited(descriptor: number, limit: number): Buffer | undefined {
  const { size } = fstatSync(descriptor)
  if (size > limit) return undefined
  // One more than it should have: it may grow meanwhile.
  const bytes = Buffer.alloc(size + 1)
  let length = 0
  while (length < bytes.length) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, length)
    if (count === 0) return bytes.subarray(0, length)
    length += count
  }
  return undefined
}
