import type { Buffer } from 'node:buffer'
import { Writable } from 'node:stream'
import { BYTES_MESSAGE } from '#buildkit/messages'
import { type TransferOptions, TsbuildError } from '#core'
import type { PacketStream } from '../call.ts'
import type { Metadata } from '../headers.ts'
import type { Caller } from '../session.ts'

const DIFF_COPY = '/moby.filesync.v1.FileSend/DiffCopy'

/** Bytes of a message: clients take 4 MiB. */
const PIECE = 1024 * 1024

/** Which output of a build a file is. */
export interface SentFile extends TransferOptions {
  /** Its place among the outputs of the build. */
  readonly exporter: number
  /** What the client gets to know of it, as `exporter-md-KEY`. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Sends one file to the client: an archive. It has finished when the client has the whole file; what the client
 * refuses is an error with its own words. Errors come to who writes: nobody else need listen to them.
 * @throws {TsbuildError} UNSUPPORTED, USAGE @throws {CallError} UNAVAILABLE
 */
export function sendFile(session: Caller, file: SentFile): Writable {
  if (!session.supports(DIFF_COPY)) {
    throw new TsbuildError('the client takes no files', {
      code: 'UNSUPPORTED',
      hint: 'choose an output that needs none, or another client',
    })
  }
  const stop = new AbortController()
  const signal =
    file.signal === undefined ? stop.signal : AbortSignal.any([file.signal, stop.signal])
  const call = session.open(DIFF_COPY, { metadata: metadataOf(file), signal })
  const answer = answerOf(call)
  const writable: Writable = new Writable({
    highWaterMark: PIECE,
    write: (chunk: Buffer, _, done) => void sendPieces(call, chunk).then(() => done(), done),
    final: (done) => {
      call.end()
      answer.then(() => done(), done)
    },
    destroy: (error, done) => {
      stop.abort()
      done(error)
    },
  })
  writable.on('error', () => undefined)
  // A refusal is not kept until the next piece.
  answer.catch((error: Error) => writable.destroy(error))
  return writable
}

/** Resolves when the client has said that it has everything; what it says besides is nothing. */
async function answerOf(call: PacketStream): Promise<void> {
  for await (const _ of call.messages);
}

async function sendPieces(call: PacketStream, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE) {
    await call.send(BYTES_MESSAGE.encode({ data: bytes.subarray(at, at + PIECE) }))
  }
}

function metadataOf({ exporter, metadata = {} }: SentFile): Metadata {
  const described = Object.entries(metadata).map(([key, value]) => [
    `exporter-md-${key.toLowerCase()}`,
    value,
  ])
  return {
    ...Object.fromEntries(described),
    'buildkit-attachable-exporter-id': String(exporter),
  }
}
