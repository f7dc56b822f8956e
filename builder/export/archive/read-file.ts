import { createReadStream } from 'node:fs'
import type { Bytes } from '#core'

/** The bytes of a file, which is opened when the first ones are wanted and closed after the last. */
export async function* readFile(path: string): Bytes {
  yield* createReadStream(path)
}
