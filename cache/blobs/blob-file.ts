import { closeSync, constants, fsyncSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type Bytes, type Digest, Digester, isHole, TsbuildError } from '#core'
import { readLimited } from '#disk'
import { storeError } from '../filesystem/failure.ts'

/** Manifests and configs: reading them at once takes less time than one call to the thread pool. */
const SMALL_BYTES = 64 * 1024
const CHUNK_BYTES = 256 * 1024
const WRITE_BYTES = 1024 * 1024
/** Never through a link, and never waiting for the other end of a FIFO. */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Writes a new file; long runs of zeros become holes. What `bytes` throws passes; what the disk refuses is a
 * `TsbuildError`.
 */
export async function writeFile(
  path: string,
  bytes: Bytes,
  options: { readonly mode: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const doing = `write ${path}`
  const handle = await attempt(doing, () => open(path, 'wx', options.mode))
  try {
    let size = 0
    let isOpenEnded = false
    for await (const chunk of gathered(bytes)) {
      throwIfAborted(doing, options.signal)
      isOpenEnded = isHole(chunk)
      if (!isOpenEnded) await attempt(doing, () => writeAt(handle, chunk, size))
      size += chunk.length
    }
    if (isOpenEnded) await attempt(doing, () => handle.truncate(size))
  } finally {
    await handle.close()
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten
  }
}

/** Reads a file in pieces that the consumer may keep. It is opened when the first one is wanted. */
export async function* readFile(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const doing = `read ${path}`
  throwIfAborted(doing, signal)
  const small = readSmall(doing, path)
  if (small !== undefined) {
    yield small
    return
  }
  const handle = await attempt(doing, () => open(path, READ_FLAGS))
  try {
    for (;;) {
      throwIfAborted(doing, signal)
      const chunk = await attempt(doing, () => readChunk(handle))
      if (chunk.length === 0) return
      yield chunk
    }
  } finally {
    await handle.close()
  }
}

/** The whole of a small file; `undefined` for a larger one. */
function readSmall(doing: string, path: string): Buffer | undefined {
  try {
    const fd = openSync(path, READ_FLAGS)
    try {
      return readLimited(fd, SMALL_BYTES)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    throw storeError(doing, cause)
  }
}

async function readChunk(handle: FileHandle): Promise<Uint8Array> {
  const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0)
  return buffer.subarray(0, bytesRead)
}

/** The digest of a file that is on the disk when this returns. Throws as open, read and fsync do. */
export function digestOfFile(path: string): Digest {
  const fd = openSync(path, READ_FLAGS)
  try {
    const digest = digestOfStart(fd)
    fsyncSync(fd)
    return digest
  } finally {
    closeSync(fd)
  }
}

/** The digest of the first bytes of an open file; default: of all. Throws as read does. */
export function digestOfStart(fd: number, length: number = Number.POSITIVE_INFINITY): Digest {
  const digester = new Digester()
  const buffer = Buffer.allocUnsafe(WRITE_BYTES)
  for (let at = 0, got = -1; got !== 0; at += got) {
    got = readSync(fd, buffer, 0, Math.min(buffer.length, length - at), at)
    digester.update(buffer.subarray(0, got))
  }
  return digester.digest()
}

/**
 * A call to the thread pool takes 0.2 ms, so small pieces are put together. All blocks are in one buffer: a
 * new one for each has the garbage collector look at everything, again and again.
 */
async function* gathered(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  let buffer: Buffer | undefined
  let used = 0
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      buffer ??= Buffer.allocUnsafeSlow(WRITE_BYTES)
      const piece = chunk.subarray(at, at + WRITE_BYTES - used)
      buffer.set(piece, used)
      used += piece.length
      at += piece.length
      if (used < WRITE_BYTES) continue
      yield buffer
      used = 0
    }
  }
  if (buffer !== undefined && used > 0) yield buffer.subarray(0, used)
}

async function attempt<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw storeError(doing, cause)
  }
}

function throwIfAborted(doing: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  throw new TsbuildError(`${doing}: cancelled`, { code: 'CANCELLED', cause: signal.reason })
}
