import { pipeline, Readable, type Transform } from 'node:stream'
import type { Bytes } from '#core'

/** Passes bytes through a stream with back-pressure; a failure of either end ends both. */
export async function* pipeThrough(
  bytes: Bytes,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  // The iteration throws the failure; the pipeline destroys the other end.
  pipeline(Readable.from(bytes, { highWaterMark: 1 }), transform, () => {})
  for await (const chunk of transform) yield chunk as Buffer
}
