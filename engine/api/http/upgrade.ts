import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { TsbuildError } from '#core'

/** A connection that its client wants to use in another way than HTTP does. */
export class Upgrade {
  readonly #request: IncomingMessage
  readonly #socket: Duplex
  /** What came behind the head of the request: its body first. */
  #rest: Buffer

  constructor(request: IncomingMessage, socket: Duplex, rest: Buffer) {
    this.#request = request
    this.#socket = socket
    this.#rest = rest
  }

  /** The body of the request, which Node does not read of such a request. @throws {TsbuildError} USAGE */
  async body(most: number): Promise<Buffer> {
    if (this.#request.headers['transfer-encoding'] !== undefined) {
      throw new TsbuildError('a request that upgrades has a body of unknown length', {
        code: 'USAGE',
      })
    }
    const size = Number(this.#request.headers['content-length'] ?? 0)
    if (!Number.isInteger(size) || size < 0 || size > most) {
      throw new TsbuildError('request body too large', { code: 'USAGE' })
    }
    while (this.#rest.length < size) this.#rest = Buffer.concat([this.#rest, await this.#more()])
    const body = this.#rest.subarray(0, size)
    this.#rest = this.#rest.subarray(size)
    return body
  }

  /** Takes the connection over; what was already read comes first. */
  take(): Duplex {
    if (this.#rest.length > 0) this.#socket.unshift(this.#rest)
    return this.#socket
  }

  #more(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const onEnd = (): void => reject(new TsbuildError('unexpected EOF', { code: 'USAGE' }))
      this.#socket.once('end', onEnd)
      this.#socket.once('data', (chunk: Buffer) => {
        this.#socket.off('end', onEnd)
        this.#socket.pause()
        resolve(chunk)
      })
    })
  }
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>()

/** Of a request that wants one. */
export function upgradeOf(request: IncomingMessage): Upgrade | undefined {
  return upgrades.get(request)
}

/** Lets the routes answer a request that wants an upgrade: in the usual way, or by taking the connection. */
export function answerUpgrade(
  request: IncomingMessage,
  connection: { readonly socket: Duplex; readonly head: Buffer },
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const { socket, head } = connection
  // A client that is gone is seen by what uses the connection.
  socket.on('error', () => undefined)
  upgrades.set(request, new Upgrade(request, socket, head))
  const response = new ServerResponse(request)
  // Clients in Go take the connection over as well where a refusal says that it is closed.
  response.shouldKeepAlive = true
  // What Node itself does with the response of a plain request.
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
  response.on('finish', () => {
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0])
    socket.end()
  })
  answer(request, response)
}
