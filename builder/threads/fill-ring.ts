import type { Bytes } from '#core'
import { type Ring, RingWriter } from './ring.ts'

/**
 * Passes bytes into a ring at the pace of its reader, without blocking the thread, and ends it. Takes no
 * more bytes once the ring is broken. Where the bytes fail, the caller breaks the ring.
 * @throws what `bytes` fail with
 */
export async function fillRing(bytes: Bytes, ring: Ring): Promise<void> {
  const writer = new RingWriter(ring)
  let slot: Buffer | undefined
  let used = 0
  const pass = (): void => {
    writer.pass(used)
    slot = undefined
    used = 0
  }
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      slot ??= await writer.nextSlot()
      if (slot === undefined) return
      const piece = chunk.subarray(at, at + slot.length - used)
      slot.set(piece, used)
      used += piece.length
      at += piece.length
      if (used === slot.length) pass()
    }
  }
  if (used > 0) pass()
  if ((await writer.nextSlot()) !== undefined) writer.end()
}
