/** A client's side of sessions, written by hand, which may do anything. */
import {
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { Session } from '#buildkit/session'
import type { HealthTimes } from '../../../../buildkit/session/health.ts'
import { identityOf } from './grpc-peer.ts'
import { socketTunnel, type Tunnel } from './tunnel.ts'

export interface RawPeer extends Disposable {
  readonly session: Session
  readonly tunnel: Tunnel
  readonly server: ServerHttp2Session
}

const QUIET: HealthTimes = { interval: 60_000, timeout: 60_000 }

/** @param answer gets every call */
export async function rawPeer(
  answer: (stream: ServerHttp2Stream, server: ServerHttp2Session) => void,
  times: HealthTimes = QUIET,
): Promise<RawPeer> {
  const tunnel = await socketTunnel()
  const server = performServerHandshake(tunnel.client, { maxSendHeaderBlockLength: 1024 * 1024 })
  server.on('error', () => undefined)
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    answer(stream, server)
  })
  const session = new Session(tunnel.daemon, identityOf([]), times)
  return {
    ...{ session, tunnel, server },
    [Symbol.dispose]: () => {
      session.close()
      server.destroy()
      tunnel.client.destroy()
    },
  }
}

/** A message with its head, as it is on the wire. */
export function framed(
  message: Uint8Array,
  options: { readonly flag?: number; readonly length?: number } = {},
): Buffer {
  const { flag = 0, length = message.length } = options
  const head = Buffer.alloc(5)
  head[0] = flag
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, message])
}

/** An answer in all its parts, each of which may be something else. */
export function reply(
  stream: ServerHttp2Stream,
  {
    headers = {},
    body = [framed(Buffer.from('answer'))],
    trailers = { 'grpc-status': '0' },
  }: {
    readonly headers?: OutgoingHttpHeaders
    readonly body?: readonly Uint8Array[]
    readonly trailers?: OutgoingHttpHeaders | 'none'
  } = {},
): void {
  const waitForTrailers = trailers !== 'none'
  if (trailers !== 'none') stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...headers },
    { waitForTrailers },
  )
  for (const part of body) stream.write(part)
  stream.end()
}
