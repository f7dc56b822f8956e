import type { Buffer } from 'node:buffer'
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type Socket, type Server as TcpServer } from 'node:net'
import { emptyAnswer, fitAnswer, parseQuery, type Query, RCODE } from './dns-message.ts'
import type { Transport } from './forwarder.ts'
import { QueryLimit } from './query-limit.ts'
import type { ResolverSockets } from './resolver-sockets.ts'
import { FrameReader, frameOf } from './tcp-frames.ts'

/** What a resolver answers from. */
export interface ResolverOptions {
  /** Addresses of those to ask, for each question anew. */
  readonly servers: () => readonly string[]
  /** May answer a question before servers are asked: with a whole message, or `undefined`. */
  readonly answerFirst?: (query: Query) => Buffer | undefined
}

/** Connections at a time. */
const MAX_CONNECTIONS = 64
/** Milliseconds that a connection may be silent. */
const IDLE = 10_000
const QUERY = 0
/** Transfers of whole zones: many messages for one question. */
const TRANSFERS: readonly number[] = [251, 252]

/**
 * A server of names on sockets in the network of steps. It asks the host's servers from the host's
 * network, where also those on loopback can be reached. It keeps no process from ending.
 */
export class Resolver implements AsyncDisposable {
  readonly #options: ResolverOptions
  readonly #servers: readonly (UdpSocket | TcpServer)[]
  readonly #connections = new Set<Socket>()
  readonly #ended = new AbortController()
  readonly #limit = new QueryLimit()

  /** Takes over the descriptors. @param sockets of `bindResolver` */
  constructor(sockets: readonly ResolverSockets[], options: ResolverOptions) {
    this.#options = options
    this.#servers = sockets.flatMap(({ address, udp, tcp }) => [
      this.#serveUdp(address, udp),
      this.#serveTcp(tcp),
    ])
    for (const server of this.#servers) {
      server.on('error', ignore)
      server.unref()
    }
  }

  /** Ends it, with the questions that are open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    for (const connection of this.#connections) connection.destroy()
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    await Promise.all(closed)
  }

  #serveUdp(address: string, descriptor: number): UdpSocket {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.on('message', (message, client) => void this.#receive(socket, message, client))
    socket.bind({ fd: descriptor })
    return socket
  }

  #serveTcp(descriptor: number): TcpServer {
    // A client may have said all before it reads.
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#converse(socket))
    server.maxConnections = MAX_CONNECTIONS
    server.listen({ fd: descriptor })
    return server
  }

  /** What is beyond a limit gets no answer: the client asks again. */
  async #receive(socket: UdpSocket, message: Buffer, client: RemoteInfo): Promise<void> {
    const query = parseQuery(message)
    if (query === undefined) return
    using place = this.#limit.take(client.address)
    if (place === undefined) return
    const answer = fitAnswer(await this.#answer(query, 'udp'), query)
    if (!this.#ended.signal.aborted) socket.send(answer, client.port, client.address, ignore)
  }

  #converse(socket: Socket): void {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    socket.on('error', ignore)
    socket.setTimeout(IDLE, () => socket.destroy())
    socket.unref()
    this.#answerAll(socket).then(
      () => socket.destroy(),
      () => socket.destroy(),
    )
  }

  /** Answers one question after the other; a client that does not read its answers waits. */
  async #answerAll(socket: Socket): Promise<void> {
    const client = socket.remoteAddress ?? ''
    const frames = new FrameReader()
    for await (const data of socket) {
      frames.push(data)
      for (let message = frames.shift(); message !== undefined; message = frames.shift()) {
        const query = parseQuery(message)
        using place = this.#limit.take(client)
        if (query === undefined || place === undefined) return
        const answer = frameOf(await this.#answer(query, 'tcp'))
        await new Promise((resolve) => socket.write(answer, resolve))
      }
    }
  }

  async #answer(query: Query, transport: Transport): Promise<Buffer> {
    if (query.opcode !== QUERY) return emptyAnswer(query, RCODE.NOTIMP)
    if (TRANSFERS.includes(query.question.type)) return emptyAnswer(query, RCODE.REFUSED)
    const known = this.#options.answerFirst?.(query)
    if (known !== undefined) return known
    // Most steps ask for no name at all.
    const { forward } = await import('./forwarder.ts')
    const { signal } = this.#ended
    return await forward(query, this.#options.servers(), { transport, signal })
  }
}

function ignore(): void {}
