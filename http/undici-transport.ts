import type { Readable } from 'node:stream'
import { lazily, readBody, withMinimumSpeed } from './body.ts'
import type { Destination } from './destination.ts'
import { HttpError, type HttpErrorCode } from './errors.ts'
import type { AnswerStream, HttpRequest, HttpResponse } from './exchange.ts'
import { lookupFor } from './lookup.ts'
import type { Transport, TransportOptions } from './transport.ts'
import type { Agent, Dispatcher } from './undici.ts'

const DEFAULT_LIMIT = 1024 * 1024
const MAX_ERROR_BODY = 1024 * 1024

/** A transport over undici, which is loaded with the first request. */
export function createTransport(options: TransportOptions): Transport {
  return new UndiciTransport(options)
}

/** Has a pool of connections for each destination. */
class UndiciTransport implements Transport {
  readonly #options: TransportOptions
  readonly #agents = new Map<Destination, Promise<Agent>>()
  #isClosed = false

  constructor(options: TransportOptions) {
    this.#options = options
  }

  async send(request: HttpRequest, destination: Destination): Promise<HttpResponse> {
    try {
      request.signal?.throwIfAborted()
      return await this.#exchange(request, destination)
    } catch (error) {
      throw toHttpError(error)
    }
  }

  async #exchange(request: HttpRequest, destination: Destination): Promise<HttpResponse> {
    const [agent, { sendRequest }] = await Promise.all([
      this.#agent(destination),
      import('./undici.ts'),
    ])
    const answer = await sendRequest.call(agent, this.#toDispatch(request))
    const head = {
      status: answer.statusCode,
      url: request.url,
      headers: joinHeaders(answer.headers),
    }
    const isGood = answer.statusCode >= 200 && answer.statusCode < 300
    if (isGood && request.answer === 'stream') {
      return { ...head, body: Buffer.alloc(0), stream: this.#toStream(answer.body) }
    }
    const limit = isGood ? (request.limit ?? DEFAULT_LIMIT) : MAX_ERROR_BODY
    const body = await readBody(answer.body, limit)
    if (body !== undefined) return { ...head, body }
    if (!isGood) return { ...head, body: Buffer.alloc(0) }
    const message = `the answer has more than ${limit} bytes`
    throw new HttpError(message, { code: 'ANSWER_TOO_LARGE' })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const agents = await Promise.all(this.#agents.values())
    this.#agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  #agent(destination: Destination): Promise<Agent> {
    if (this.#isClosed) throw new Error('the connections are closed')
    const known = this.#agents.get(destination)
    if (known !== undefined) return known
    const created = this.#createAgent(destination)
    this.#agents.set(destination, created)
    return created
  }

  async #createAgent(destination: Destination): Promise<Agent> {
    const { Agent } = await import('./undici.ts')
    const { timeouts, maxConnectionsPerHost } = this.#options
    const lookup = lookupFor(destination)
    return new Agent({
      connections: maxConnectionsPerHost,
      allowH2: false,
      pipelining: 1,
      connect: {
        timeout: timeouts.connect,
        ...(destination === 'named-insecure' ? { rejectUnauthorized: false } : {}),
        ...(lookup === undefined ? {} : { lookup }),
      },
    })
  }

  #toStream(body: Readable): AnswerStream {
    return {
      bytes: withMinimumSpeed(body, { window: this.#options.timeouts.slow, toError: toHttpError }),
      // Without a listener, the error of the destroyed stream would be uncaught.
      discard: () => body.on('error', () => {}).destroy(),
    }
  }

  #toDispatch(request: HttpRequest): Dispatcher.RequestOptions {
    const { url, method, body } = request
    const { timeouts } = this.#options
    const isUpload = method === 'PUT' || method === 'PATCH'
    const size = body?.kind === 'stream' ? body.size : undefined
    return {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        ...request.headers,
        ...(size === undefined ? {} : { 'content-length': String(size) }),
      },
      body: toBody(request),
      headersTimeout: isUpload ? timeouts.stored : timeouts.headers,
      bodyTimeout: timeouts.idle,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    }
  }
}

type DispatchBody = Exclude<Dispatcher.RequestOptions['body'], undefined>

function toBody(request: HttpRequest): DispatchBody {
  const { body, method } = request
  if (body?.kind === 'document') return body.bytes
  // undici takes any async iterable here; its types know only Node's streams.
  if (body?.kind === 'stream') return lazily(body.open) as unknown as DispatchBody
  return method === 'POST' || method === 'PUT' ? '' : null
}

function joinHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
    ),
  )
}

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  UND_ERR_BODY_TIMEOUT: 'BODY_TIMEOUT',
  UND_ERR_CONNECT_TIMEOUT: 'CONNECT_TIMEOUT',
  UND_ERR_HEADERS_TIMEOUT: 'HEADERS_TIMEOUT',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'BODY_TRUNCATED',
  UND_ERR_SOCKET: 'CONNECTION_CLOSED',
}

function toHttpError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  // It keeps the bytes that it could not parse, and these may hold a token.
  if (error.name === 'HTTPParserError') {
    return new HttpError('the answer is not HTTP', { code: 'NOT_HTTP' })
  }
  const code = 'code' in error ? CODES[String(error.code)] : undefined
  return code === undefined ? error : new HttpError(error.message, { code, cause: error })
}
