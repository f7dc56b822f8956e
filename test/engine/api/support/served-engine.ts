import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { serveEngine } from '#engine'
import { parseListenAddresses, type TlsFiles } from '#engine/daemon'
import { temporaryDirectory } from '../../../support/peers/index.ts'
import { ask } from '../../support/socket-http.ts'

/** For engines whose clients build in the classic way. */
export const NO_BUILDKIT = (): Promise<never> =>
  Promise.reject(new Error('nobody here speaks gRPC'))

/** An engine that is served in this process, on a store of its own. Disposing stops it. */
export interface ServedEngine extends AsyncDisposable {
  readonly socket: string
  readonly root: string
}

/** Where it listens besides its socket. */
export interface ServedOptions {
  readonly hosts?: readonly string[]
  readonly tls?: TlsFiles
}

/** @returns when it answers */
export async function serveHere({ hosts = [], tls }: ServedOptions = {}): Promise<ServedEngine> {
  const place = temporaryDirectory('engine')
  const socket = place.file('engine.sock')
  const root = place.file('store')
  const ending = new AbortController()
  const served = serveEngine({
    openBuildkit: NO_BUILDKIT,
    ...{ root, tls, version: 'test', group: undefined, idleTimeout: undefined },
    addresses: [`unix://${socket}`, ...hosts].flatMap((host) => parseListenAddresses(host, {})),
    signal: ending.signal,
    onWarning: () => undefined,
  })
  await Promise.race([untilAnswered(socket), served])
  return {
    ...{ socket, root },
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await served
      place[Symbol.dispose]()
    },
  }
}

async function untilAnswered(socket: string): Promise<void> {
  for (;;) {
    try {
      if ((await ask(socket, 'GET', '/_ping')).status === 200) return
    } catch {
      await delay(5)
    }
  }
}

/** Sends bytes as they are. @returns all that comes until the connection ends */
export async function sendRaw(socket: string, bytes: string | Buffer): Promise<string> {
  const connection = await open(socket)
  connection.end(bytes)
  const chunks: Buffer[] = []
  connection.on('data', (chunk: Buffer) => chunks.push(chunk))
  // What is refused before it was read ends with a reset.
  await new Promise((resolve) => connection.on('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

/** A connection. */
export async function open(socket: string): Promise<Socket> {
  const connection = connect({ path: socket, allowHalfOpen: true })
  connection.on('error', () => undefined)
  await once(connection, 'connect')
  return connection
}
