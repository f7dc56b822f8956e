import { closeSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { type Bytes, collect, TsbuildError } from '#core'
import { MAX_DOCKERFILE_BYTES } from '#parser'

const CHUNK = 1 << 18

/** The bytes of a file of the store, from its start. Yields to other work of the thread between reads. */
export async function* chunksOf(path: string): Bytes {
  const descriptor = openSync(path, 'r')
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK)
      const length = readSync(descriptor, chunk)
      if (length === 0) return
      yield chunk.subarray(0, length)
      await setImmediate()
    }
  } finally {
    closeSync(descriptor)
  }
}

/** A Dockerfile that was downloaded. @throws {TsbuildError} CONTEXT_INVALID when it is too long */
export async function readDownloaded(path: string): Promise<Buffer> {
  return collectDockerfile(chunksOf(path))
}

/** A Dockerfile that comes from elsewhere. @throws {TsbuildError} CONTEXT_INVALID when it is too long */
export async function collectDockerfile(bytes: Bytes): Promise<Buffer> {
  try {
    return await collect(bytes, MAX_DOCKERFILE_BYTES)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const reason = `it has more than ${MAX_DOCKERFILE_BYTES} bytes and is not an archive`
    const hint = 'an archive is a tar, plain or packed with gzip or zstd'
    throw new TsbuildError(`failed to read dockerfile: ${reason}`, {
      code: 'CONTEXT_INVALID',
      cause,
      hint,
    })
  }
}
