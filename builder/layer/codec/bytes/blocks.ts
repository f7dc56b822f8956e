import { Buffer } from 'node:buffer'
import type { Bytes } from '#core'

/**
 * The same bytes in blocks of `size`, the last one shorter, so that the result does not depend on how
 * they arrived. No two blocks share a buffer.
 */
export async function* blocksOf(
  bytes: Bytes,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  let block = Buffer.allocUnsafeSlow(size)
  let used = 0
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const copied = Math.min(chunk.length - at, size - used)
      block.set(chunk.subarray(at, at + copied), used)
      used += copied
      at += copied
      if (used < size) continue
      yield block
      block = Buffer.allocUnsafeSlow(size)
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
}
