import type { Bytes } from '#core'
import { HttpError } from './errors.ts'
import { SLOWEST } from './timing.ts'

/** Opens the same bytes again for each attempt. */
export type OpenBytes = () => Bytes | Promise<Bytes>

/** Opens only when the first byte is read, so that unused bytes are never opened. */
export async function* lazily(open: OpenBytes): AsyncGenerator<Uint8Array, void, undefined> {
  yield* await open()
}

/** All of a body; `undefined` when it has more than `limit` bytes, the rest of which is not read. */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/**
 * Ends a body of which fewer than `SLOWEST` bytes arrive in `window` milliseconds of waiting. Only the
 * time spent waiting for the network counts, not the consumer's.
 */
export async function* withMinimumSpeed(
  body: AsyncIterable<Uint8Array>,
  window: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waited = 0
  let received = 0
  let waitingSince = performance.now()
  for await (const chunk of body) {
    waited += performance.now() - waitingSince
    received += chunk.length
    if (waited > window) {
      if (received < SLOWEST) throw tooSlowError(received, waited)
      waited = 0
      received = 0
    }
    yield chunk
    waitingSince = performance.now()
  }
}

function tooSlowError(received: number, waited: number): HttpError {
  const message = `only ${received} bytes in ${Math.round(waited / 1000)} s`
  return new HttpError(message, { code: 'TOO_SLOW' })
}
