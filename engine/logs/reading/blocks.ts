import { read } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'

const readAsync: typeof read.__promisify__ = promisify(read)

/** Bytes that are read at once, and about what a reader has in memory. */
export const BLOCK_BYTES: number = 64 * 1024

/** A block at a place of a file, empty at its end. */
export async function readBlock(
  descriptor: number,
  at: number,
  length: number = BLOCK_BYTES,
): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(length)
  const { bytesRead } = await readAsync(descriptor, block, 0, length, at)
  return block.subarray(0, bytesRead)
}

/** What a compressed file holds after `skipped` bytes. One that is damaged ends there. Leaves the descriptor open. */
export async function* unpackedBlocks(descriptor: number, skipped: number): AsyncGenerator<Buffer> {
  const unpacked = createGunzip({ chunkSize: BLOCK_BYTES })
  const reading = pipeline(blocksOf(descriptor), unpacked)
  let left = skipped
  try {
    for await (const block of unpacked as AsyncIterable<Buffer>) {
      const rest = block.subarray(left)
      left -= block.length - rest.length
      if (rest.length > 0) yield rest
    }
  } catch {
    // A crash of the machine may have left a part of the file only; what is newer can still be read.
  } finally {
    unpacked.destroy()
    // A read may be under way, of a descriptor that is closed next.
    await reading.catch(() => undefined)
  }
}

async function* blocksOf(descriptor: number): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const block = await readBlock(descriptor, at)
    if (block.length === 0) return
    yield block
    at += block.length
  }
}
