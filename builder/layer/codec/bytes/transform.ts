import { pipeline, Readable, type Transform } from 'node:stream'
import type { Bytes } from '#core'

/** Passes bytes through a stream, as fast as they are taken; a failure of either end ends both. */
export async function* through(
  bytes: Bytes,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  // The iteration throws what went wrong; pipeline takes care of the other end.
  pipeline(Readable.from(bytes, { highWaterMark: 1 }), transform, () => {})
  for await (const chunk of transform) yield chunk as Buffer
}
