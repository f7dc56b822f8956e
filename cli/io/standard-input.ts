import { TsbuildError, throwIfCancelled } from '#core'
import type { Shell } from '../terminal/shell.ts'

const DOING = 'read standard input'

/**
 * Standard input to its end.
 * @throws {TsbuildError} IO_FAILED when it has more than `limit` bytes, CANCELLED when the command is
 * stopped while it waits for more
 */
export async function readStandardInput(shell: Shell, limit: number): Promise<Buffer> {
  const { stdin, signal } = shell
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let size = 0
  const onData = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > limit) reject(tooLongError(limit))
    else chunks.push(bytes)
  }
  const onEnd = (): void => resolve(Buffer.concat(chunks, size))
  const onAbort = (): void => reject(signal.reason)
  throwIfCancelled(signal, DOING)
  stdin.on('data', onData).once('end', onEnd).once('error', reject)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    stdin.off('data', onData).off('end', onEnd).off('error', reject).pause()
  }
}

function tooLongError(limit: number): TsbuildError {
  return new TsbuildError(`${DOING}: it has more than ${limit} bytes`, { code: 'IO_FAILED' })
}
