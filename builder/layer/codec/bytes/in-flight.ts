import type { Buffer } from 'node:buffer'
import { availableParallelism } from 'node:os'
import type { Bytes } from '#core'
import { type BlockPool, blocksOf } from './blocks.ts'

/** How many blocks are in memory, packed or not, while others are packed on libuv's thread pool. */
export const MAX_IN_FLIGHT: number = Math.min(16, availableParallelism() + 2)

/** How bytes are packed in blocks. */
export interface BlockPacker {
  readonly blockSize: number
  /** Called in the order of the blocks; the block is another one as soon as it is done. */
  readonly pack: (block: Buffer) => Promise<Uint8Array>
  /** How many blocks are packed at a time; asked after each block. */
  readonly atOnce: () => number
}

/** What becomes of blocks, in their order. */
export async function* packedInOrder(
  bytes: Bytes,
  { blockSize, pack, atOnce }: BlockPacker,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pool: BlockPool = { size: blockSize, free: [] }
  const inFlight: Promise<Uint8Array>[] = []
  for await (const block of blocksOf(bytes, pool)) {
    const packing = packAndFree(block)
    // The rejection reaches the consumer that awaits this block, if it gets that far.
    packing.catch(() => {})
    inFlight.push(packing)
    const most = Math.min(atOnce(), MAX_IN_FLIGHT)
    const oldest = inFlight.length >= most ? inFlight.shift() : undefined
    if (oldest !== undefined) yield await oldest
  }
  for (const packing of inFlight) yield await packing

  async function packAndFree(block: Buffer): Promise<Uint8Array> {
    const packed = await pack(block)
    if (block.length === blockSize) pool.free.push(block)
    return packed
  }
}
