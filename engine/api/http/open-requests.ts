import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Counts requests that are being answered, and connections that were taken over. */
export class OpenRequests {
  #count = 0

  constructor(server: Server) {
    server.on('request', (_request: IncomingMessage, response: ServerResponse) =>
      this.#countUntilClose(response),
    )
    server.on('upgrade', (_request: IncomingMessage, socket: Socket) =>
      this.#countUntilClose(socket),
    )
  }

  get count(): number {
    return this.#count
  }

  #countUntilClose(open: ServerResponse | Socket): void {
    this.#count++
    open.once('close', () => this.#count--)
  }
}
