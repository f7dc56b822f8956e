import type { Writable } from 'node:stream'
import type { OutputSink } from '#engine/containers'

const NUMBERS = { stdout: 1, stderr: 2 } as const
const HEAD_SIZE = 8

/** A frame of several streams in one. Spec: Docker Engine API, POST /containers/{id}/attach, stream format */
export function frame(stream: keyof typeof NUMBERS, ...parts: readonly Uint8Array[]): Buffer {
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  const head = Buffer.alloc(HEAD_SIZE)
  head[0] = NUMBERS[stream]
  head.writeUInt32BE(size, 4)
  return Buffer.concat([head, ...parts], HEAD_SIZE + size)
}

/** Which of the outputs a client wants. */
export interface WantedOutputs {
  readonly stdout: boolean
  readonly stderr: boolean
}

/** Writes output to a client as it wants it; who writes waits while the client does not read. */
export function clientSink(
  client: Writable,
  kind: 'raw' | 'multiplexed',
  wanted: WantedOutputs,
): OutputSink {
  return (stream, data) => {
    if (!wanted[stream] || client.destroyed || client.writableEnded) return undefined
    if (client.write(kind === 'raw' ? data : frame(stream, data))) return undefined
    return drained(client)
  }
}

/** Until more may be written, or the client is gone. */
export function drained(client: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      client.off('drain', done)
      client.off('close', done)
      resolve()
    }
    client.on('drain', done)
    client.on('close', done)
  })
}
