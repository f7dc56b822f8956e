import { isLoopback, networkHost } from '../../http/addresses.ts'
import {
  compose,
  type HttpRequest,
  type HttpResponse,
  type Layer,
  reportWarnings,
  type Send,
  withHeader,
} from '../../http/exchange.ts'
import { networkCode, retryAfterOf, retrying } from '../../http/retry.ts'
import type { Timing } from '../../http/timing.ts'
import type { Route, Wire } from '../../http/undici-transport.ts'
import { Authenticator } from '../auth/authenticator.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { brokenExchange, cancelled, plainText, refusedBy } from '../errors.ts'
import { following } from './location.ts'

/** What all registries of one client share. */
export interface Shared {
  readonly wire: Wire
  readonly timing: Timing
  readonly userAgent: string
  readonly insecure: readonly string[]
  readonly onWarning: (message: string) => void
}

/** One request as an operation makes it, with the answers that it can deal with. */
export interface Call {
  readonly doing: string
  readonly method: HttpRequest['method']
  /** Path and query below `/v2/`, or a place that the registry itself named. */
  readonly to: string | URL
  readonly expect: readonly number[]
  /** Further statuses that are answers when they come from another host, after a redirect. */
  readonly expectElsewhere?: readonly number[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: HttpRequest['body']
  /** `document` by default. */
  readonly answer?: HttpRequest['answer']
  /** Bytes; 1 MiB by default. */
  readonly limit?: number
  readonly scopes?: readonly string[]
  readonly attempts?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const DEFAULT_LIMIT = 1024 * 1024
const MIN_SECRET = 4

/** One registry as one user sees it: its origin, its tokens, its manners. */
export class Endpoint {
  /** As in references. */
  readonly registry: string
  readonly #shared: Shared
  readonly #credentials: () => Promise<Credentials | undefined>
  readonly #secrets = new Set<string>()
  #channel: Promise<Channel> | undefined

  constructor(
    registry: string,
    shared: Shared,
    credentials: () => Promise<Credentials | undefined>,
  ) {
    this.registry = registry
    this.#shared = shared
    this.#credentials = credentials
  }

  get timing(): Timing {
    return this.#shared.timing
  }

  /**
   * Makes one exchange, with everything that it may take to get an answer.
   * @throws {RegistryError} also when the status is none of `expect`
   */
  async call(call: Call): Promise<HttpResponse> {
    const { doing, signal, to } = call
    const subject = { doing, registry: this.registry }
    try {
      signal?.throwIfAborted()
      const { origin, send } = await this.channel()
      const response = await send({
        method: call.method,
        url: typeof to === 'string' ? new URL(`/v2/${to}`, origin) : to,
        headers: call.headers ?? {},
        body: call.body,
        answer: call.answer ?? 'document',
        limit: call.limit ?? DEFAULT_LIMIT,
        scopes: call.scopes ?? [],
        attempts: call.attempts,
        signal,
      })
      const isElsewhere = response.url.origin !== origin.origin
      const expected = isElsewhere ? [...call.expect, ...(call.expectElsewhere ?? [])] : call.expect
      if (expected.includes(response.status)) return response
      response.stream?.discard()
      const retryAfter = retryAfterOf(response, this.timing)
      const redact = (text: string): string => this.#redact(text)
      throw refusedBy(response, subject, { redact, retryAfter })
    } catch (error) {
      throw signal?.aborted ? cancelled(doing, signal) : brokenExchange(error, subject)
    }
  }

  /** The registry's own origin, and the way to it. */
  channel(): Promise<Channel> {
    this.#channel ??= this.#openChannel().catch((error: unknown) => {
      this.#channel = undefined
      throw error
    })
    return this.#channel
  }

  async #openChannel(): Promise<Channel> {
    const { wire, timing, userAgent, onWarning } = this.#shared
    const [registry, credentials] = await Promise.all([this.#findOrigin(), this.#credentials()])
    const base = compose(
      (request) => wire.send(request, this.#routeTo(request.url, registry)),
      withHeader('user-agent', userAgent),
      withHeader('accept-encoding', 'identity'),
      retrying(timing),
    )
    const authenticator = new Authenticator({
      registry,
      credentials,
      timing,
      sendToken: base,
      onSecret: (secret) => this.#addSecret(secret),
    })
    const warnings: Layer = reportWarnings((text) =>
      onWarning(`registry ${this.registry}: ${plainText(this.#redact(text))}`),
    )
    return {
      origin: registry,
      send: compose(base, authenticator.layer, following(registry), warnings),
    }
  }

  #routeTo(url: URL, registry: URL): Route {
    if (url.host === registry.host) return this.#isInsecure() ? 'insecure' : 'registry'
    return isLoopback(registry.hostname) ? 'neighbour' : 'foreign'
  }

  #isInsecure(): boolean {
    const { insecure } = this.#shared
    return insecure.includes(this.registry) || insecure.includes(networkHost(this.registry))
  }

  /** An insecure host is asked over https first, so that allowing less never means using less. */
  async #findOrigin(): Promise<URL> {
    const host = networkHost(this.registry)
    const plain = new URL(`http://${host}`)
    const secure = new URL(`https://${host}`)
    if (!this.#isInsecure()) return isLoopback(plain.hostname) ? plain : secure
    try {
      await this.#shared.wire.send(probe(secure), 'insecure')
      return secure
    } catch (error) {
      const code = networkCode(error) ?? ''
      if (/^(?:ECONNREFUSED|ECONNRESET|EPROTO|ERR_SSL_.*|UND_ERR_SOCKET)$/.test(code)) return plain
      throw error
    }
  }

  #addSecret(secret: string): void {
    if (secret.length >= MIN_SECRET) this.#secrets.add(secret)
  }

  #redact(text: string): string {
    return [...this.#secrets].reduce((clean, secret) => clean.replaceAll(secret, '…'), text)
  }
}

export interface Channel {
  readonly origin: URL
  readonly send: Send
}

function probe(origin: URL): HttpRequest {
  return {
    method: 'GET',
    url: new URL('/v2/', origin),
    headers: {},
    answer: 'document',
    limit: DEFAULT_LIMIT,
    scopes: [],
  }
}
