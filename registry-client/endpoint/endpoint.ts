import {
  compose,
  type Destination,
  destinationOf,
  followingRedirects,
  type HttpRequest,
  type HttpResponse,
  isLoopback,
  networkCode,
  retryAfterOf,
  retrying,
  type Send,
  type Timing,
  type Transport,
  withHeaders,
} from '#http'
import { Authenticator } from '../auth/authenticator.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { answerError, cancelledError, exchangeError, plainText } from '../errors.ts'
import { networkHost } from '../reference.ts'
import { resolveLocation } from './location.ts'
import type { UploadLimits } from './upload-limits.ts'
import { reportingWarnings } from './warnings.ts'

/** What all registries of one client share. */
export interface EndpointContext {
  readonly transport: Transport
  readonly timing: Timing
  readonly userAgent: string
  readonly insecure: readonly string[]
  /** Of a call that does not say how often it is sent at most. */
  readonly attempts?: number | undefined
  readonly onWarning: (message: string) => void
}

/** One request as an operation makes it, with the answers that it can deal with. */
export interface Call {
  readonly doing: string
  readonly method: HttpRequest['method']
  /** Path and query below `/v2/`, or a URL that the registry itself named. */
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
  /** What a token has to allow. Spec: distribution token scope, `repository:NAME:ACTIONS` */
  readonly scopes?: readonly string[]
  readonly attempts?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Characters; shorter ones would cross out ordinary text. */
const MIN_SECRET = 4

/** One registry as one user reaches it: its origin, tokens and what it may lead to. */
export class Endpoint {
  /** As in references. */
  readonly registry: string
  readonly limits: UploadLimits = { refusedBody: Number.POSITIVE_INFINITY, takesStreams: true }
  readonly #context: EndpointContext
  readonly #credentials: () => Promise<Credentials | undefined>
  readonly #secrets = new Set<string>()
  #channel: Promise<Channel> | undefined

  constructor(
    registry: string,
    context: EndpointContext,
    credentials: () => Promise<Credentials | undefined>,
  ) {
    this.registry = registry
    this.#context = context
    this.#credentials = credentials
  }

  /** Clock and sleep of the client. */
  get timing(): Timing {
    return this.#context.timing
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
      const { origin, sendWith } = await this.channel()
      const response = await sendWith(call.scopes ?? [])({
        method: call.method,
        url: typeof to === 'string' ? new URL(`/v2/${to}`, origin) : to,
        headers: call.headers ?? {},
        body: call.body,
        answer: call.answer,
        limit: call.limit,
        attempts: call.attempts ?? this.#context.attempts,
        signal,
      })
      const isElsewhere = response.url.origin !== origin.origin
      const expected = isElsewhere ? [...call.expect, ...(call.expectElsewhere ?? [])] : call.expect
      if (expected.includes(response.status)) return response
      response.stream?.discard()
      const retryAfter = retryAfterOf(response, this.timing)
      const redact = (text: string): string => this.#redact(text)
      throw answerError(response, subject, { redact, retryAfter })
    } catch (error) {
      throw signal?.aborted ? cancelledError(doing, signal) : exchangeError(error, subject)
    }
  }

  /** Waits before something is tried again. @throws {TsbuildError} CANCELLED */
  async pause(
    milliseconds: number,
    { doing, signal }: Pick<Call, 'doing' | 'signal'>,
  ): Promise<void> {
    try {
      await this.timing.sleep(milliseconds, signal)
    } catch (error) {
      throw signal?.aborted ? cancelledError(doing, signal) : error
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
    const { transport, timing, userAgent, onWarning } = this.#context
    const [registry, credentials] = await Promise.all([this.#findOrigin(), this.#credentials()])
    const base = compose(
      (request) => transport.send(request, this.#destinationOf(request.url, registry)),
      withHeaders({ 'user-agent': userAgent, 'accept-encoding': 'identity' }),
      retrying(timing),
    )
    const authenticator = new Authenticator({
      registry,
      credentials,
      timing,
      sendToken: base,
      onSecret: (secret) => this.#addSecret(secret),
    })
    const redirects = followingRedirects((to, from) => resolveLocation(to, from, registry))
    const warnings = reportingWarnings((text) =>
      onWarning(`registry ${this.registry}: ${plainText(this.#redact(text))}`),
    )
    return {
      origin: registry,
      sendWith: (scopes) => compose(base, authenticator.authorizing(scopes), redirects, warnings),
    }
  }

  #destinationOf(url: URL, registry: URL): Destination {
    const destination = destinationOf(url, registry)
    return destination === 'named' && this.#isInsecure() ? 'named-insecure' : destination
  }

  #isInsecure(): boolean {
    const { insecure } = this.#context
    return insecure.includes(this.registry) || insecure.includes(networkHost(this.registry))
  }

  /** An insecure host is asked over https first: allowing http does not mean preferring it. */
  async #findOrigin(): Promise<URL> {
    const host = networkHost(this.registry)
    const plain = new URL(`http://${host}`)
    const secure = new URL(`https://${host}`)
    if (!this.#isInsecure()) return isLoopback(plain.hostname) ? plain : secure
    try {
      await this.#context.transport.send(probe(secure), 'named-insecure')
      return secure
    } catch (error) {
      const code = networkCode(error) ?? ''
      if (/^(?:ECONNREFUSED|ECONNRESET|EPROTO|ERR_SSL_.*|CONNECTION_CLOSED)$/.test(code))
        return plain
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

/** The way to a registry. */
export interface Channel {
  readonly origin: URL
  /** Sends with a token that allows `scopes`, where the registry wants one. */
  readonly sendWith: (scopes: readonly string[]) => Send
}

function probe(origin: URL): HttpRequest {
  return { method: 'GET', url: new URL('/v2/', origin), headers: {} }
}
