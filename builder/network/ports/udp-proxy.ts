import { Buffer } from 'node:buffer'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Dialer, Target } from './dial.ts'

/** Milliseconds without a packet of the client after which its answers are not awaited any more. */
const IDLE = 90_000
const MAX_CLIENTS = 1024
/** Packets of a client that are kept until its socket is there. */
const MAX_WAITING = 32

/** How packets are passed on. */
export interface UdpProxyOptions {
  readonly dialer: Dialer
  readonly target: Target
  /** Milliseconds; default: as docker's. */
  readonly idle?: number
  /** Clients at a time; the one that came first makes room. */
  readonly most?: number
}

/** A client, and the socket by which the target knows it. */
interface Session {
  readonly waiting: Buffer[]
  socket: Socket | undefined
  timer: NodeJS.Timeout
  isOver: boolean
}

/** Passes the packets of each client on to a target from a port of its own, and the answers back. */
export class UdpProxy implements AsyncDisposable {
  readonly socket: Socket
  readonly #options: UdpProxyOptions
  readonly #sessions = new Map<string, Session>()
  #isClosed = false

  /** @param address of the host that the socket will have */
  constructor(address: string, options: UdpProxyOptions) {
    this.#options = options
    const isVersion6 = isIPv6(address)
    this.socket = createSocket({ type: isVersion6 ? 'udp6' : 'udp4', ipv6Only: isVersion6 })
    this.socket.on('error', ignore)
    this.socket.on('message', (message, client) => this.#receive(message, client))
    this.socket.unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    for (const key of [...this.#sessions.keys()]) this.#end(key)
    await new Promise<void>((resolve) => this.socket.close(() => resolve()))
  }

  #receive(message: Buffer, client: RemoteInfo): void {
    const key = `${client.address} ${client.port}`
    const session = this.#sessions.get(key) ?? this.#begin(key, client)
    session.timer.refresh()
    if (session.socket !== undefined) this.#pass(session.socket, message)
    else if (session.waiting.length < MAX_WAITING) session.waiting.push(Buffer.from(message))
  }

  #begin(key: string, client: RemoteInfo): Session {
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size >= (this.#options.most ?? MAX_CLIENTS) && oldest !== undefined)
      this.#end(oldest)
    const timer = setTimeout(() => this.#end(key), this.#options.idle ?? IDLE)
    timer.unref()
    const session: Session = { waiting: [], socket: undefined, timer, isOver: false }
    this.#sessions.set(key, session)
    this.#open(session, client).catch(() => this.#end(key))
    return session
  }

  async #open(session: Session, client: RemoteInfo): Promise<void> {
    const { dialer, target } = this.#options
    const socket = await dialer.openUdp(target)
    if (session.isOver) {
      socket.close()
      return
    }
    session.socket = socket
    socket.unref()
    socket.on('error', ignore)
    socket.on('message', (message, from) => {
      const isTarget = from.address === target.address && from.port === target.port
      if (isTarget && !this.#isClosed) this.socket.send(message, client.port, client.address)
    })
    for (const message of session.waiting.splice(0)) this.#pass(socket, message)
  }

  #pass(socket: Socket, message: Buffer): void {
    const { address, port } = this.#options.target
    socket.send(message, port, address, ignore)
  }

  #end(key: string): void {
    const session = this.#sessions.get(key)
    if (session === undefined) return
    this.#sessions.delete(key)
    session.isOver = true
    clearTimeout(session.timer)
    session.socket?.close()
  }
}

function ignore(): void {}
