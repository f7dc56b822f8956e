import { Buffer } from 'node:buffer'
import { readSync } from 'node:fs'
import { checkpoint, type Name, TsbuildError } from '#core'
import { quote } from '../paths/quote.ts'

const SCRATCH_SIZE = 512 * 1024

/** The buffer that content passes through on its way. */
export interface Passage {
  /** Another one after `flush`, perhaps. */
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

/** An open file and what is known of it. */
export interface Content {
  readonly fd: number
  /** For errors. */
  readonly path: Name
  readonly size: number
}

/**
 * Passes all bytes of a file on.
 * @throws {TsbuildError} IO_FAILED when it has more or fewer than it should
 */
export function passFile(content: Content, passage: Passage, consume: Consume): void {
  const { fd, path, size } = content
  for (let left = size; left > 0; ) {
    checkpoint()
    if (passage.used === passage.buffer.length) passage.flush()
    const { buffer, used: start } = passage
    // One byte more than there should be shows in the same call that the file ends there.
    const wanted = Math.min(buffer.length - start, left + 1)
    const got = readSync(fd, buffer, start, wanted, null)
    if (got === 0) throw changed(path, `shrank: ${left} of ${size} bytes are missing`)
    if (got > left) throw changed(path, `grew beyond ${size} bytes`)
    consume(buffer, start, start + got)
    passage.used = start + got
    left -= got
    if (left === 0 && wanted > got) return
  }
  if (readSync(fd, Buffer.allocUnsafe(1), 0, 1, null) > 0)
    throw changed(path, `grew beyond ${size} bytes`)
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

function changed(path: Name, how: string): TsbuildError {
  return new TsbuildError(`read ${quote(path)}: the file ${how} while it was read`, {
    code: 'IO_FAILED',
    hint: 'let whatever writes to it finish, then build again',
  })
}
