import { Buffer } from 'node:buffer'
import type { Readable } from 'node:stream'
import { MAX_MESSAGE } from './messages.ts'
import { wireUint32 } from './wire.ts'

/**
 * The messages of a stream, without their lengths. Ends with the stream, and at a message that is empty
 * or too long.
 */
export async function* framesOf(stream: Readable): AsyncGenerator<Buffer, void, undefined> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk as Buffer])
    while (pending.length >= 4) {
      const length = pending.readUInt32BE()
      if (length === 0 || length > MAX_MESSAGE) return
      if (pending.length < 4 + length) break
      yield pending.subarray(4, 4 + length)
      pending = pending.subarray(4 + length)
    }
  }
}

/** A message with its length in front. */
export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([wireUint32(message.length), message])
}
