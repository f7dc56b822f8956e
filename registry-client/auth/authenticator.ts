import type { HttpRequest, Layer, Send } from '../../http/exchange.ts'
import type { Timing } from '../../http/timing.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { acceptable, covers } from './scope.ts'
import { basicHeader, TokenService } from './tokens.ts'

export interface AuthenticatorOptions {
  readonly registry: URL
  readonly credentials: Credentials | undefined
  /** Carries requests to the token service: no redirects, no authentication. */
  readonly sendToken: Send
  readonly timing: Timing
  readonly onSecret: (secret: string) => void
}

/** Answers the challenges of one registry, and of no other host. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #tokens: TokenService
  /** What the registry asked for last: later requests answer before they are asked. */
  #challenge: Challenge | undefined
  /** Scopes the registry wanted on top of ours, by ours. */
  readonly #extraScopes = new Map<string, readonly string[]>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    const { sendToken: send, registry, credentials, timing, onSecret } = options
    this.#tokens = new TokenService({ send, registry, credentials, timing, onSecret })
    for (const secret of secretsOf(credentials)) onSecret(secret)
  }

  /** Adds `Authorization` on the registry's own origin; a 401 is answered once. */
  readonly layer: Layer = (next) => async (request) => {
    if (request.url.origin !== this.#options.registry.origin) return next(request)
    const sent = await this.#authorization(request)
    const response = await next(withAuthorization(request, sent))
    if (response.status !== 401) return response
    const challenge = parseChallenge(response.headers['www-authenticate'])
    if (challenge === undefined) return response
    this.#learn(challenge, request, sent)
    const renewed = await this.#authorization(request)
    const isHopeless = renewed === undefined || renewed === sent
    // A stream is spent; its owner starts again and finds the new token here.
    if (isHopeless || request.body?.kind === 'stream') return response
    return next(withAuthorization(request, renewed))
  }

  #learn(challenge: Challenge, request: HttpRequest, sent: string | undefined): void {
    this.#challenge = challenge
    if (sent === undefined || challenge.scheme !== 'bearer') return
    this.#tokens.drop(sent.replace(/^Bearer /, ''))
    const wanted = this.#scopesOf(request)
    const missing = acceptable(challenge.scopes).filter((scope) => !covers(wanted, [scope]))
    if (missing.length > 0) this.#extraScopes.set(request.scopes.join(' '), missing)
  }

  #scopesOf(request: HttpRequest): readonly string[] {
    return [...request.scopes, ...(this.#extraScopes.get(request.scopes.join(' ')) ?? [])]
  }

  async #authorization(request: HttpRequest): Promise<string | undefined> {
    const { credentials } = this.#options
    if (this.#challenge === undefined) return undefined
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`
    if (this.#challenge.scheme === 'basic') {
      return credentials?.kind === 'password' ? basicHeader(credentials) : undefined
    }
    const token = this.#tokens.get(this.#challenge, this.#scopesOf(request))
    return `Bearer ${await unlessAborted(token, request.signal)}`
  }
}

function withAuthorization(request: HttpRequest, authorization: string | undefined): HttpRequest {
  if (authorization === undefined) return request
  return { ...request, headers: { ...request.headers, authorization } }
}

function secretsOf(credentials: Credentials | undefined): readonly string[] {
  if (credentials === undefined) return []
  if (credentials.kind !== 'password') return [credentials.token]
  return [credentials.password, basicHeader(credentials).slice('Basic '.length)]
}

/** The exchange itself goes on: other requests may be waiting for the same token. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
