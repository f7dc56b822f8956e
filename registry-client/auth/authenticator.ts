import { type HttpRequest, type Middleware, type Send, type Timing, withHeaders } from '#http'
import type { Credentials, PasswordCredentials } from '../credentials/credentials.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { acceptable, covers } from './scope.ts'
import { basicHeader, TokenService } from './tokens.ts'

/** One for the first token, one for a token that expired while a request was repeated. */
const MAX_RENEWALS = 2

/** What an authenticator answers challenges with. */
export interface AuthenticatorOptions {
  readonly registry: URL
  readonly credentials: Credentials | undefined
  /** Carries requests to the token service: no redirects, no authentication. */
  readonly sendToken: Send
  readonly timing: Timing
  /** Called with every secret that must not appear in a text. */
  readonly onSecret: (secret: string) => void
}

/** Answers the challenges of one registry, and of no other host. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #tokens: TokenService
  /** The last challenge of the registry: later requests are sent with an answer to it. */
  #challenge: Challenge | undefined
  /** What was asked for where credentials are delegated. */
  #password: Promise<PasswordCredentials | undefined> | undefined
  /** Scopes that the registry requires beyond those of a request, by the latter. */
  readonly #extraScopes = new Map<string, readonly string[]>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    const { sendToken: send, registry, credentials, timing, onSecret } = options
    this.#tokens = new TokenService({ send, registry, credentials, timing, onSecret })
    for (const secret of secretsOf(credentials)) onSecret(secret)
  }

  /**
   * Adds `Authorization` to requests to the registry's own origin, and answers a 401.
   * @param scopes what a token has to allow. Spec: distribution token scope, `repository:NAME:ACTIONS`
   */
  authorizing(scopes: readonly string[]): Middleware {
    return (next) => async (request) => {
      if (request.url.origin !== this.#options.registry.origin) return next(request)
      let sent = await this.#authorization(scopes, request.signal)
      for (let renewals = 0; ; renewals++) {
        const response = await sendWith(next, request, sent)
        if (response.status !== 401) return response
        const challenge = parseChallenge(response.headers['www-authenticate'])
        if (challenge === undefined || renewals >= MAX_RENEWALS) return response
        this.#update(challenge, scopes, sent)
        // A registry that has other keys now refuses every token that it gave out before.
        if (renewals > 0) this.#tokens.dropAll()
        const renewed = await this.#authorization(scopes, request.signal)
        const isHopeless = renewed === undefined || renewed === sent
        // A stream is spent: its caller starts over, and the new token is used then.
        if (isHopeless || request.body?.kind === 'stream') return response
        sent = renewed
      }
    }
  }

  #update(challenge: Challenge, scopes: readonly string[], sent: string | undefined): void {
    this.#challenge = challenge
    if (sent === undefined || challenge.scheme !== 'bearer') return
    this.#tokens.drop(sent.replace(/^Bearer /, ''))
    const wanted = this.#withExtraScopes(scopes)
    const additional = acceptable(challenge.scopes).filter((scope) => !covers(wanted, [scope]))
    if (additional.length > 0) this.#extraScopes.set(scopes.join(' '), additional)
  }

  #withExtraScopes(scopes: readonly string[]): readonly string[] {
    return [...scopes, ...(this.#extraScopes.get(scopes.join(' ')) ?? [])]
  }

  async #authorization(
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { credentials } = this.#options
    if (this.#challenge === undefined) return undefined
    if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`
    if (this.#challenge.scheme === 'basic') return await this.#basic(signal)
    const token = this.#tokens.get(this.#challenge, this.#withExtraScopes(scopes))
    return `Bearer ${await unlessAborted(token, signal)}`
  }

  async #basic(signal: AbortSignal | undefined): Promise<string | undefined> {
    const { credentials, onSecret } = this.#options
    if (credentials?.kind === 'password') return basicHeader(credentials)
    if (credentials?.kind !== 'delegated') return undefined
    this.#password ??= credentials.password()
    const password = await unlessAborted(this.#password, signal)
    for (const secret of secretsOf(password)) onSecret(secret)
    return password === undefined ? undefined : basicHeader(password)
  }
}

function sendWith(
  next: Send,
  request: HttpRequest,
  authorization: string | undefined,
): ReturnType<Send> {
  const send = authorization === undefined ? next : withHeaders({ authorization })(next)
  return send(request)
}

function secretsOf(credentials: Credentials | undefined): readonly string[] {
  if (credentials === undefined || credentials.kind === 'delegated') return []
  if (credentials.kind !== 'password') return [credentials.token]
  return [credentials.password, basicHeader(credentials).slice('Basic '.length)]
}

/** Ends only the waiting: other requests may wait for the same token. */
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
