import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'

/** The two ends of a session's bytes. */
export interface Tunnel {
  readonly daemon: Duplex
  readonly client: Socket
}

/** The ways in which sessions come: a connection that was taken over, and messages of a call. */
export const TUNNELS: readonly (readonly [name: string, open: () => Promise<Tunnel>])[] = [
  ['a socket', socketTunnel],
  ['a stream', streamTunnel],
]

let count = 0

/** Both ends of a unix socket. */
export async function socketTunnel(): Promise<Tunnel> {
  const path = join(tmpdir(), `tsbuild-tunnel-${process.pid}-${count++}`)
  const server = createServer({ allowHalfOpen: false })
  server.listen(path)
  await once(server, 'listening')
  const { connect } = await import('node:net')
  const daemon = connect(path)
  const [client] = (await once(server, 'connection')) as [Socket]
  server.close()
  client.on('error', () => undefined)
  return { daemon, client }
}

/** A stream that is not a socket on the daemon's side; a socket on the client's, as programs have it. */
async function streamTunnel(): Promise<Tunnel> {
  const [daemon, inner] = duplexPair()
  const { daemon: outer, client } = await socketTunnel()
  outer.on('error', () => undefined)
  inner.on('error', () => undefined)
  outer.pipe(inner)
  inner.pipe(outer)
  outer.once('close', () => inner.destroy())
  inner.once('close', () => outer.destroy())
  daemon.once('close', () => outer.destroy())
  return { daemon, client }
}
