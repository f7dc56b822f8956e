import { once } from 'node:events'
import { TsbuildError } from '#core'

/** Where the outputs of a process go. */
export interface OutputSinks {
  readonly stdout: ByteSink
  readonly stderr: ByteSink
}

/** Takes bytes; resolves when more may come. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>

const HEADER = 8
const STREAMS = ['stdout', 'stdout', 'stderr'] as const
/** The type of a frame that says why the stream ends. */
const SYSTEM_ERROR = 3
/** Bytes of such a sentence. */
const MAX_ERROR = 64 * 1024

/**
 * Hands out the outputs of a process that has no terminal. A frame may have any size: its bytes go on as they come.
 * Spec: Docker Engine API, "Stream format" of POST /containers/{id}/attach
 * @throws {TsbuildError} ENGINE_FAILED for a frame that tells of an error, and for what is no frame
 */
export async function demultiplex(
  source: AsyncIterable<Uint8Array>,
  sinks: OutputSinks,
): Promise<void> {
  const header = Buffer.alloc(HEADER)
  let filled = 0
  let left = 0
  let problem = ''
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      if (left === 0) {
        const taken = Math.min(HEADER - filled, chunk.length - at)
        header.set(chunk.subarray(at, at + taken), filled)
        filled += taken
        at += taken
        if (filled < HEADER) continue
        filled = 0
        left = sizeOfFrame(header)
        continue
      }
      const bytes = chunk.subarray(at, at + left)
      at += bytes.length
      left -= bytes.length
      const name = STREAMS[header[0] ?? 0]
      if (name !== undefined) await sinks[name](bytes)
      else problem = (problem + Buffer.from(bytes).toString()).slice(0, MAX_ERROR)
    }
  }
  if (problem !== '') throw streamError(`error from daemon in stream: ${problem}`)
}

function sizeOfFrame(header: Buffer): number {
  const [type = 0, ...padding] = header.subarray(0, 4)
  if (type > SYSTEM_ERROR || padding.some((byte) => byte !== 0)) {
    throw streamError(`unrecognized stream: ${type}`)
  }
  return header.readUInt32BE(4)
}

function streamError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'ENGINE_FAILED' })
}

/** A sink that waits while a stream has enough; what cannot be written is dropped, as for a reader that went away. */
export function sinkOf(stream: NodeJS.WritableStream): ByteSink {
  return async (bytes) => {
    if (!stream.writable || stream.write(bytes)) return
    await Promise.race([once(stream, 'drain'), once(stream, 'close')])
  }
}
