import { type Bytes, TsbuildError } from '#core'
import { TarReader } from './tar-reader.ts'

/**
 * The time of the newest regular file in a tar, in milliseconds; `undefined` where there is none.
 * @throws {TsbuildError} LAYER_INVALID for what is not a tar
 */
export async function newestFile(tar: Bytes): Promise<number | undefined> {
  let newest: number | undefined
  const reader = new TarReader({
    entry: ({ type, mtimeMs }) => {
      if (type === 'file') newest = Math.max(newest ?? mtimeMs, mtimeMs)
    },
    content: () => undefined,
    hole: () => undefined,
    end: () => undefined,
  })
  for await (const chunk of tar)
    read(() => reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
  read(() => reader.end())
  return newest
}

function read(step: () => void): void {
  try {
    step()
  } catch (cause) {
    throw new TsbuildError('the archive is not a tar', { code: 'LAYER_INVALID', cause })
  }
}
