import type { ClientRequest, IncomingMessage } from 'node:http'
import { lazily } from '../body.ts'
import { Deadline, type Limit } from '../deadline.ts'
import { closedError, networkCode, toHttpError } from '../errors.ts'
import type { HttpRequest } from '../exchange.ts'
import type { Timeouts } from '../timing.ts'
import type { Connections } from './connections.ts'

const CLOSED = new Set(['CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE'])

/**
 * One request and its answer on one connection. Whatever ends it, also in the middle of the body of
 * either, ends it once: waiting for it fails with the first reason, and its connection is closed.
 */
export class ClientExchange {
  readonly #request: HttpRequest
  readonly #limits: Limits
  readonly #ending = new AbortController()
  /** Of connecting, sending and the head of the answer. */
  readonly #deadline = new Deadline((error) => this.#end(error))
  #outgoing: ClientRequest | undefined
  #response: IncomingMessage | undefined

  constructor(request: HttpRequest, timeouts: Timeouts) {
    this.#request = request
    this.#limits = limitsOf(request, timeouts)
  }

  /**
   * Sends the request. A body is still being sent when the answer comes before its end, and until the
   * answer has been read; then the rest of it is dropped, with the connection.
   * @param signals any of them ends the exchange, up to the end of the answer
   * @returns the head of the answer, with its body unread
   */
  async send(
    connections: Connections,
    signals: readonly (AbortSignal | undefined)[],
  ): Promise<IncomingMessage> {
    const { signal } = this.#ending
    const unfollow = this.#follow(signals)
    try {
      const { url, method } = this.#request
      const options = { method, headers: headersOf(this.#request) }
      const outgoing = await connections.start(url, options, signal)
      this.#outgoing = outgoing
      outgoing.once('close', unfollow)
      return await this.#exchange(outgoing)
    } catch (error) {
      unfollow()
      throw error
    }
  }

  /** The body of the answer. The connection is held until it is read to its end, or closed before. */
  async *bytes(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = this.#ending
    const deadline = new Deadline((error) => this.#end(error))
    try {
      deadline.set(this.#limits.idle)
      for await (const chunk of response) {
        deadline.clear()
        yield chunk
        deadline.set(this.#limits.idle)
      }
    } catch (error) {
      throw signal.aborted ? signal.reason : toHttpError(error)
    } finally {
      deadline.clear()
    }
    signal.throwIfAborted()
  }

  /** Whether the body of the request was sent to its end. */
  get isSent(): boolean {
    return this.#outgoing?.writableFinished === true
  }

  /**
   * Whether it failed because the server had closed a kept connection, and can be sent again: it does
   * no harm twice, and its body is not a stream, which is spent. Spec: RFC 9110 9.2.2, RFC 9112 9.3.1
   */
  get isStale(): boolean {
    const { method, body } = this.#request
    if (method === 'POST' || method === 'PATCH' || body?.kind === 'stream') return false
    const code = networkCode(this.#ending.signal.reason)
    return this.#outgoing?.reusedSocket === true && CLOSED.has(code ?? '')
  }

  #end(reason: unknown): void {
    this.#ending.abort(reason)
  }

  #follow(signals: readonly (AbortSignal | undefined)[]): () => void {
    const followed = signals.flatMap((signal) => {
      signal?.throwIfAborted()
      const end = (): void => this.#end(signal?.reason)
      signal?.addEventListener('abort', end)
      return { signal, end }
    })
    return () => {
      this.#deadline.clear()
      for (const { signal, end } of followed) signal?.removeEventListener('abort', end)
    }
  }

  #exchange(outgoing: ClientRequest): Promise<IncomingMessage> {
    const { signal } = this.#ending
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    signal.addEventListener('abort', () => {
      reject(signal.reason)
      outgoing.destroy()
    })
    outgoing.on('error', (error) => {
      // A complete answer counts, even when the rest of the request cannot be sent.
      if (this.#response?.complete !== true) this.#end(toHttpError(error))
    })
    outgoing.once('close', () => {
      if (this.#response === undefined) this.#end(closedError())
    })
    outgoing.once('response', (response) => {
      this.#response = response
      this.#deadline.clear()
      // Without a listener, the error of an answer that is not read would be uncaught.
      response.on('error', () => {})
      response.once('end', () => this.isSent || outgoing.destroy())
      resolve(response)
    })
    this.#sendBody(outgoing).catch((error: unknown) => this.#end(error))
    return promise
  }

  async #sendBody(outgoing: ClientRequest): Promise<void> {
    await this.#connected(outgoing)
    const { body } = this.#request
    if (body?.kind === 'stream') await this.#sendStream(outgoing, body)
    else outgoing.end(body?.bytes)
    if (this.#response === undefined) this.#deadline.set(this.#limits.answer)
  }

  /** Never resolves when there will be no connection: that is an error of `outgoing`. */
  async #connected(outgoing: ClientRequest): Promise<void> {
    const event = this.#request.url.protocol === 'https:' ? 'secureConnect' : 'connect'
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#deadline.set(this.#limits.connection)
    outgoing.once('socket', (socket) => {
      // A proxy's connection is there before its socket is handed out; TLS is spoken afterwards.
      const isThere = event === 'connect' && !socket.connecting
      if (outgoing.reusedSocket || isThere) return resolve()
      socket.once(event, resolve)
    })
    await promise
    this.#deadline.clear()
  }

  async #sendStream(
    outgoing: ClientRequest,
    { open, size }: Extract<HttpRequest['body'], { kind: 'stream' }>,
  ): Promise<void> {
    let sent = 0
    // A server that waits for a slow source must not take the connection for an idle one.
    outgoing.flushHeaders()
    for await (const chunk of lazily(open)) {
      if (outgoing.destroyed) return
      sent += chunk.length
      if (size !== undefined && sent > size) throw lengthError(sent, size)
      if (outgoing.write(chunk)) continue
      if (this.#response === undefined) this.#deadline.set(this.#limits.answer)
      await drained(outgoing)
      this.#deadline.clear()
    }
    if (size !== undefined && sent < size) throw lengthError(sent, size)
    outgoing.end()
  }
}

interface Limits {
  readonly connection: Limit
  readonly answer: Limit
  readonly idle: Limit
}

function limitsOf({ method }: HttpRequest, { connect, headers, stored, idle }: Timeouts): Limits {
  const isUpload = method === 'PUT' || method === 'PATCH'
  return {
    connection: { milliseconds: connect, code: 'CONNECT_TIMEOUT', missing: 'no connection' },
    answer: {
      milliseconds: isUpload ? stored : headers,
      code: 'HEADERS_TIMEOUT',
      missing: 'no answer',
    },
    idle: { milliseconds: idle, code: 'BODY_TIMEOUT', missing: 'nothing more of the answer' },
  }
}

function headersOf({ headers, body }: HttpRequest): Record<string, string> {
  const size = body?.kind === 'stream' ? body.size : undefined
  return { ...headers, ...(size === undefined ? {} : { 'content-length': String(size) }) }
}

/** Resolves when more can be written, and when nothing ever can. */
async function drained(outgoing: ClientRequest): Promise<void> {
  if (outgoing.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  outgoing.once('drain', resolve)
  outgoing.once('close', resolve)
  await promise
  outgoing.off('drain', resolve)
  outgoing.off('close', resolve)
}

function lengthError(sent: number, size: number): Error {
  return new Error(`the body has ${sent > size ? 'more' : 'fewer'} bytes than its size, ${size}`)
}
