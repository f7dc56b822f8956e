import { Buffer } from 'node:buffer'
import { readSync } from 'node:fs'

const SCRATCH_SIZE = 512 * 1024

/** The buffer that content passes through on its way. */
export interface Passage {
  readonly buffer: Buffer
  /** Bytes of `buffer` that are taken. */
  used: number
  /** Empties the buffer. */
  flush(): void
}

/** Sees content while it is in the buffer. */
export type Consume = (bytes: Buffer, start: number, end: number) => void

/** A passage that leads nowhere, for content that only `consume` is interested in. */
export function scratchPassage(): Passage {
  return {
    buffer: Buffer.allocUnsafeSlow(SCRATCH_SIZE),
    used: 0,
    flush() {
      this.used = 0
    },
  }
}

/**
 * Passes the `size` bytes of an open file on.
 * @throws {Error} when it has more or fewer
 */
export function passFile(fd: number, size: number, passage: Passage, consume: Consume): void {
  const { buffer } = passage
  for (let left = size; left > 0; ) {
    if (passage.used === buffer.length) passage.flush()
    const start = passage.used
    // One byte more than there should be shows in the same call that the file ends there.
    const wanted = Math.min(buffer.length - start, left + 1)
    const got = readSync(fd, buffer, start, wanted, null)
    if (got === 0)
      throw new Error(`file shrank while it was read: ${left} of ${size} bytes missing`)
    if (got > left) throw grew(size)
    consume(buffer, start, start + got)
    passage.used = start + got
    left -= got
    if (left === 0 && wanted > got) return
  }
  if (readSync(fd, Buffer.allocUnsafe(1), 0, 1, null) > 0) throw grew(size)
}

export function passBytes(data: Uint8Array, passage: Passage, consume: Consume): void {
  for (let at = 0; at < data.length; ) {
    if (passage.used === passage.buffer.length) passage.flush()
    const start = passage.used
    const room = passage.buffer.length - start
    passage.buffer.set(data.subarray(at, at + room), start)
    const copied = Math.min(room, data.length - at)
    consume(passage.buffer, start, start + copied)
    passage.used += copied
    at += copied
  }
}

function grew(size: number): Error {
  return new Error(`file grew while it was read, beyond ${size} bytes`)
}
