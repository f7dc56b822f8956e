import { createServer, type Server, type Socket } from 'node:net'
import type { Dialer, Target } from './dial.ts'

/**
 * A server whose connections are passed on to a target; each direction ends by itself. It does not listen yet.
 * Disposing of it ends its connections.
 */
export class TcpProxy implements AsyncDisposable {
  readonly server: Server
  readonly #sockets = new Set<Socket>()
  readonly #dialer: Dialer
  readonly #target: Target

  constructor(dialer: Dialer, target: Target) {
    this.#dialer = dialer
    this.#target = target
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true }
    this.server = createServer(options, (client) => void this.#serve(client))
    this.server.on('error', ignore)
    this.server.unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.server.listening) return
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }

  async #serve(client: Socket): Promise<void> {
    this.#hold(client)
    client.on('error', ignore)
    try {
      const target = await this.#dialer.connect(this.#target)
      this.#hold(target)
      // It may have gone meanwhile, and says so only once.
      if (client.destroyed) {
        target.destroy()
        return
      }
      target.on('error', () => client.resetAndDestroy())
      client.on('error', () => target.resetAndDestroy())
      client.on('close', () => endIfOpen(target))
      target.on('close', () => endIfOpen(client))
      client.pipe(target)
      target.pipe(client)
    } catch {
      // As a host answers on whose port nothing listens.
      client.resetAndDestroy()
    }
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.unref()
  }
}

/** One that closes has ended in both directions, or in none of them any more. */
function endIfOpen(socket: Socket): void {
  if (!socket.writableEnded) socket.destroy()
}

function ignore(): void {}
