import type { Writable } from 'node:stream'
import type { OutputSink } from '#engine/containers'

const NUMBERS = { stdout: 1, stderr: 2, system: 3 } as const
const HEAD_SIZE = 8

/** A frame of several streams in one. Spec: Docker Engine API, POST /containers/{id}/attach, stream format */
export function frame(stream: keyof typeof NUMBERS, data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_SIZE + data.length)
  bytes.writeUInt32BE(NUMBERS[stream] * 0x1000000, 0)
  bytes.writeUInt32BE(data.length, 4)
  bytes.set(data, HEAD_SIZE)
  return bytes
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
