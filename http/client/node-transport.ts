import type { IncomingMessage } from 'node:http'
import { readBody, withMinimumSpeed } from '../body.ts'
import type { Destination } from '../destination.ts'
import { HttpError, networkFailure } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../exchange.ts'
import type { Transport, TransportOptions } from '../transport.ts'
import { createDialer, type DialerOptions } from './agents.ts'
import { ClientExchange } from './client-exchange.ts'
import { Connections } from './connections.ts'

const DEFAULT_LIMIT = 1024 * 1024
const MAX_ERROR_BODY = 1024 * 1024

/** A transport over Node's own client, which is loaded with the first request. */
export function createTransport(options: TransportOptions): Transport {
  return new NodeTransport(options)
}

/** Has connections for each origin and destination. */
class NodeTransport implements Transport {
  readonly #options: TransportOptions
  readonly #closing = new AbortController()
  readonly #connections = new Map<string, Promise<Connections>>()
  /** Keys of connections that trust what the machine does. */
  readonly #trusting = new Set<string>()

  constructor(options: TransportOptions) {
    this.#options = options
  }

  async send(request: HttpRequest, destination: Destination): Promise<HttpResponse> {
    request.signal?.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    const connections = await this.#connectionsTo(request.url, destination)
    const [exchange, response] = await this.#exchangeTrusting(request, destination, connections)
    const status = response.statusCode ?? 0
    if (status === 407 && connections.proxy !== undefined) {
      response.destroy()
      const { deniedError } = await import('../proxy/denied.ts')
      throw deniedError(connections.proxy, status)
    }
    const head = { status, url: request.url, headers: joinHeaders(response.rawHeaders) }
    const isGood = status >= 200 && status < 300
    const bytes = withMinimumSpeed(exchange.bytes(response), this.#options.timeouts.slow)
    if (isGood && request.answer === 'stream') {
      return {
        ...head,
        body: Buffer.alloc(0),
        stream: { bytes, discard: () => response.destroy() },
      }
    }
    const limit = isGood ? (request.limit ?? DEFAULT_LIMIT) : MAX_ERROR_BODY
    const body = await readBody(bytes, limit).catch((error: unknown) => {
      // A server that refuses an upload often breaks the connection: its status is what counts.
      if (isGood || exchange.isSent || request.signal?.aborted) throw error
      return undefined
    })
    if (body !== undefined) return { ...head, body }
    if (!isGood) return { ...head, body: Buffer.alloc(0) }
    const message = `the answer has more than ${limit} bytes`
    throw new HttpError(message, { code: 'ANSWER_TOO_LARGE' })
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the connections are closed'))
    const all = await Promise.allSettled(this.#connections.values())
    for (const one of all) if (one.status === 'fulfilled') one.value.closeIdle()
  }

  /**
   * The machine's own authorities are read when Node's do not do: nothing was sent by then.
   * @throws what `#exchange` does, with the certificate that is not trusted
   */
  async #exchangeTrusting(
    request: HttpRequest,
    destination: Destination,
    connections: Connections,
  ): Promise<readonly [ClientExchange, IncomingMessage]> {
    try {
      return await this.#exchange(request, connections)
    } catch (error) {
      if (networkFailure(error).kind !== 'tls') throw error
      const { isUntrusted, withCertificate } = await import('./untrusted.ts')
      if (!isUntrusted(error)) throw error
      const wider = await this.#connectionsTo(request.url, destination, { trustsMachine: true })
      try {
        return await this.#exchange(request, wider)
      } catch (last) {
        if (!isUntrusted(last)) throw last
        throw await withCertificate(last, request.url, wider.proxy)
      }
    }
  }

  /** A kept connection that turns out to be closed is replaced by a new one, once. */
  async #exchange(
    request: HttpRequest,
    connections: Connections,
  ): Promise<readonly [ClientExchange, IncomingMessage]> {
    const signals = [request.signal, this.#closing.signal]
    const first = new ClientExchange(request, this.#options.timeouts)
    try {
      return [first, await first.send(connections, signals)]
    } catch (error) {
      if (!first.isStale || signals.some((signal) => signal?.aborted)) throw error
      connections.closeIdle()
      const second = new ClientExchange(request, this.#options.timeouts)
      return [second, await second.send(connections, signals)]
    }
  }

  /** Those that trust the machine, once they are wanted, take the place of others. */
  #connectionsTo(
    url: URL,
    destination: Destination,
    { trustsMachine }: Pick<DialerOptions, 'trustsMachine'> = { trustsMachine: false },
  ): Promise<Connections> {
    const key = `${destination} ${url.origin}`
    const known = this.#connections.get(key)
    if (known !== undefined && (!trustsMachine || this.#trusting.has(key))) return known
    if (trustsMachine) this.#trusting.add(key)
    const created = this.#open(url, destination, trustsMachine)
    this.#connections.set(key, created)
    return created
  }

  async #open(url: URL, destination: Destination, trustsMachine: boolean): Promise<Connections> {
    const { certificatesOf, environment = {}, maxConnectionsPerHost } = this.#options
    const certificates =
      url.protocol === 'https:' && certificatesOf !== undefined
        ? certificatesOf(url.host)
        : { authorities: [], clients: [] }
    const dialer = await createDialer(url, destination, {
      environment,
      certificates,
      trustsMachine,
    })
    return new Connections(dialer, maxConnectionsPerHost)
  }
}

/** Names in lower case, repeated ones joined. Node reads bytes as Latin-1, but they are UTF-8. */
function joinHeaders(raw: readonly string[]): Record<string, string> {
  const joined = new Map<string, string>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? ''
    const value = Buffer.from(raw[at + 1] ?? '', 'latin1').toString()
    const before = joined.get(name)
    joined.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(joined)
}
