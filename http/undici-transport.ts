import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import type { Agent, Dispatcher } from 'undici'
import { TsbuildError } from '#core'
import { lazily } from '../registry-client/repository/bytes.ts'
import { isLocalAddress, isLoopback } from './addresses.ts'
import type { AnswerStream, HttpRequest, HttpResponse } from './exchange.ts'
import { SLOWEST, type Timeouts } from './timing.ts'

/**
 * Whom a connection may reach. `registry`: the host the user named. `insecure`: the same without a
 * check of its certificate. `foreign`: a host that an answer named; it must not lead back to this
 * machine or its link, whatever its name resolves to. `neighbour`: a host that an answer of this
 * machine named; it may be this machine, but not its link.
 */
export type Route = 'foreign' | 'insecure' | 'neighbour' | 'registry'

export interface WireOptions {
  readonly timeouts: Timeouts
  readonly maxConnectionsPerHost: number
}

/** Pooled keep-alive connections: the only user of undici, which is loaded on first use. */
export class Wire {
  readonly #options: WireOptions
  readonly #agents = new Map<Route, Promise<Agent>>()
  #isClosed = false

  constructor(options: WireOptions) {
    this.#options = options
  }

  async send(request: HttpRequest, route: Route): Promise<HttpResponse> {
    try {
      return await this.#exchange(request, route)
    } catch (error) {
      throw withoutData(error)
    }
  }

  async #exchange(request: HttpRequest, route: Route): Promise<HttpResponse> {
    request.signal?.throwIfAborted()
    const [agent, http] = await Promise.all([
      this.#agent(route),
      import('../registry-client/http.ts'),
    ])
    const answer = await http.request.call(agent, this.#toDispatch(request))
    const head = {
      status: answer.statusCode,
      url: request.url,
      headers: joinHeaders(answer.headers),
    }
    const isGood = answer.statusCode >= 200 && answer.statusCode < 300
    if (isGood && request.answer === 'stream') {
      return { ...head, body: Buffer.alloc(0), stream: this.#toStream(answer.body) }
    }
    const body = await readBody(answer.body, isGood ? request.limit : MAX_ERROR_BODY)
    if (body !== undefined) return { ...head, body }
    if (!isGood) return { ...head, body: Buffer.alloc(0) }
    throw new TsbuildError(`the answer has more than ${request.limit} bytes`, {
      code: 'REGISTRY_FAILED',
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const agents = await Promise.all(this.#agents.values())
    this.#agents.clear()
    await Promise.all(agents.map((agent) => agent.destroy()))
  }

  #agent(route: Route): Promise<Agent> {
    if (this.#isClosed) throw new Error('the registry client is closed')
    const known = this.#agents.get(route)
    if (known !== undefined) return known
    const created = this.#createAgent(route)
    this.#agents.set(route, created)
    return created
  }

  async #createAgent(route: Route): Promise<Agent> {
    const { Agent } = await import('../registry-client/http.ts')
    const { timeouts, maxConnectionsPerHost } = this.#options
    return new Agent({
      connections: maxConnectionsPerHost,
      allowH2: false,
      pipelining: 1,
      connect: {
        timeout: timeouts.connect,
        ...(route === 'insecure' ? { rejectUnauthorized: false } : {}),
        ...(route === 'foreign' ? { lookup: lookupUnless(isLocalAddress) } : {}),
        ...(route === 'neighbour' ? { lookup: lookupUnless(isOnLink) } : {}),
      },
    })
  }

  #toStream(body: Readable): AnswerStream {
    return {
      bytes: notTooSlow(body, this.#options.timeouts.slow),
      // Nobody is left to hear that the rest of the body will not come.
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

const MAX_ERROR_BODY = 1024 * 1024

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

/** `undefined` when there is more than `limit`; the rest is not read. */
async function readBody(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** Counts only the time spent waiting for the network, not the consumer's. */
async function* notTooSlow(
  body: AsyncIterable<Uint8Array>,
  window: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waited = 0
  let received = 0
  let asked = performance.now()
  try {
    for await (const chunk of body) {
      waited += performance.now() - asked
      received += chunk.length
      if (waited > window) {
        if (received < SLOWEST) throw new SlowConnection(received, waited)
        waited = 0
        received = 0
      }
      yield chunk
      asked = performance.now()
    }
  } catch (error) {
    throw withoutData(error)
  }
}

/** undici keeps the bytes that it could not parse in the error, and these may hold a token. */
function withoutData(error: unknown): unknown {
  return error instanceof Error && error.name === 'HTTPParserError' ? new NotHttp() : error
}

class NotHttp extends Error {
  readonly code = 'NOT_HTTP'

  constructor() {
    super('the answer is not HTTP')
  }
}

class SlowConnection extends Error {
  readonly code = 'ETIMEDOUT'

  constructor(received: number, waited: number) {
    super(`only ${received} bytes in ${Math.round(waited / 1000)} s`)
  }
}

function isOnLink(address: string): boolean {
  return isLocalAddress(address) && !isLoopback(address)
}

/** Looks a name up and refuses it when any of its addresses is forbidden: names are cheap to aim. */
function lookupUnless(isForbidden: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0)
      const [first] = addresses
      const forbidden = addresses.find(({ address }) => isForbidden(address))
      if (first === undefined || forbidden !== undefined) {
        const refused = new Error(`${hostname} leads to ${forbidden?.address ?? 'nowhere'}`)
        return callback(Object.assign(refused, { code: 'EADDRNOTALLOWED' }), '', 0)
      }
      if (options.all === true) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}
