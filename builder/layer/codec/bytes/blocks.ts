import { Buffer } from 'node:buffer'
import type { Bytes } from '#core'

/** Blocks that are used again: new ones have the garbage collector look at everything, again and again. */
export interface BlockPool {
  readonly size: number
  readonly free: Buffer[]
}

/**
 * The same bytes in blocks of the pool's size, the last one shorter, so that the result does not depend on how
 * they arrived. A block is the consumer's until it is given back to the pool.
 */
export async function* blocksOf(
  bytes: Bytes,
  { size, free }: BlockPool,
): AsyncGenerator<Buffer, void, undefined> {
  const next = (): Buffer => free.pop() ?? Buffer.allocUnsafeSlow(size)
  let block = next()
  let used = 0
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const copied = Math.min(chunk.length - at, size - used)
      block.set(chunk.subarray(at, at + copied), used)
      used += copied
      at += copied
      if (used < size) continue
      yield block
      block = next()
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
}
