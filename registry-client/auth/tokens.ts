import { readDocument, shapes, TsbuildError } from '#core'
import type { HttpRequest, HttpResponse, Send, Timing } from '#http'
import type { Credentials, PasswordCredentials } from '../credentials/credentials.ts'
import { exchangeError, plainText, RegistryError } from '../errors.ts'
import type { Challenge } from './challenge.ts'
import { checkRealm } from './realm.ts'
import { covers } from './scope.ts'

const CLIENT_ID = 'tsbuild'
const DEFAULT_LIFETIME = 60
/** Part of its lifetime in which a token is used: clocks differ and requests take time. */
const USED_LIFETIME = 0.9

/** A challenge that a token answers. */
export type BearerChallenge = Extract<Challenge, { scheme: 'bearer' }>

/** Whose tokens are asked for, and how. */
export interface TokenServiceOptions {
  /** Without redirects and without authentication of its own. */
  readonly send: Send
  readonly registry: URL
  readonly credentials: Credentials | undefined
  readonly timing: Timing
  /** Called with every secret that must not appear in a text. */
  readonly onSecret: (secret: string) => void
}

interface Token {
  readonly realm: string
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly text: Promise<string>
  /** The result of `text`, once it is there. */
  value?: string
  /** In elapsed milliseconds; infinite while the token is being fetched. */
  expires: number
}

/** Exchanges a user's credentials for access tokens and keeps these until they expire. */
export class TokenService {
  readonly #options: TokenServiceOptions
  #tokens: readonly Token[] = []
  #pinnedRealm: string | undefined

  constructor(options: TokenServiceOptions) {
    this.#options = options
  }

  /** A token for at least `scopes`. Concurrent requests share one exchange. */
  get(challenge: BearerChallenge, scopes: readonly string[]): Promise<string> {
    const { realm, service } = challenge
    const now = this.#options.timing.elapsed()
    this.#tokens = this.#tokens.filter((token) => token.expires > now)
    const known = this.#tokens.find(
      (token) => token.realm === realm && token.service === service && serves(token.scopes, scopes),
    )
    if (known !== undefined) return known.text
    const exchange = this.#exchange(challenge, scopes)
    const token: Token = {
      realm,
      service,
      scopes,
      text: exchange.then(({ text }) => text),
      expires: Number.POSITIVE_INFINITY,
    }
    this.#tokens = [...this.#tokens, token]
    exchange.then(
      ({ text, lifetime }) => {
        token.value = text
        token.expires = now + lifetime
      },
      () => {
        this.#tokens = this.#tokens.filter((other) => other !== token)
      },
    )
    return token.text
  }

  /** Forgets a token that the registry no longer accepts. */
  drop(text: string): void {
    this.#tokens = this.#tokens.filter((token) => token.value !== text)
  }

  /** Forgets all tokens but those that are just being fetched. */
  dropAll(): void {
    this.#tokens = this.#tokens.filter((token) => token.value === undefined)
  }

  async #exchange(challenge: BearerChallenge, scopes: readonly string[]): Promise<Grant> {
    const realm = this.#checkedRealm(challenge.realm)
    const { credentials, onSecret } = this.#options
    if (credentials?.kind === 'delegated') {
      const request = { clientId: CLIENT_ID, realm: realm.href, service: challenge.service, scopes }
      const { text, seconds } = await credentials.fetchToken(request)
      const grant = grantOf(text, seconds)
      onSecret(grant.text)
      return grant
    }
    const response = await this.#ask(realm, challenge.service, scopes).catch((error: unknown) => {
      throw exchangeError(error, { doing: 'ask its token service', registry: realm.host })
    })
    if (response.status !== 200) throw deniedError(response, realm)
    const grant = parseGrant(response.body)
    onSecret(grant.text)
    return grant
  }

  async #ask(
    realm: URL,
    service: string | undefined,
    scopes: readonly string[],
  ): Promise<HttpResponse> {
    const { credentials, send } = this.#options
    if (credentials?.kind === 'identity-token') {
      return send(postRequest(realm, refreshForm(credentials.token, service, scopes)))
    }
    const password = credentials?.kind === 'password' ? credentials : undefined
    const response = await send(getRequest(realm, { service, scopes, password }))
    if (password === undefined || (response.status !== 404 && response.status !== 405)) {
      return response
    }
    // Some services speak only the OAuth2 form of the exchange.
    return send(postRequest(realm, passwordForm(password, service, scopes)))
  }

  /** A registry that changes its token service in the middle of a run is not to be trusted. */
  #checkedRealm(text: string): URL {
    const realm = checkRealm(text, this.#options.registry)
    this.#pinnedRealm ??= realm.origin
    if (this.#pinnedRealm === realm.origin) return realm
    throw new TsbuildError(
      `refuse to ask its token service: it changed from ${this.#pinnedRealm} to ${realm.origin}`,
      { code: 'REGISTRY_DENIED', hint: 'nothing was sent; try again, or ask those who run it' },
    )
  }
}

/** A request without any scope is served by a token without any scope only. */
function serves(granted: readonly string[], wanted: readonly string[]): boolean {
  return wanted.length === 0 ? granted.length === 0 : covers(granted, wanted)
}

const { integer, object, string } = shapes

const GRANT = object({
  token: string,
  access_token: string,
  expires_in: integer,
  issued_at: string,
  refresh_token: string,
  scope: string,
})

interface Grant {
  readonly text: string
  /** Milliseconds. */
  readonly lifetime: number
}

interface TokenQuery {
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly password: PasswordCredentials | undefined
}

function getRequest(realm: URL, { service, scopes, password }: TokenQuery): HttpRequest {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  url.searchParams.set('client_id', CLIENT_ID)
  if (password !== undefined) url.searchParams.set('account', password.username)
  const headers = password === undefined ? {} : { authorization: basicHeader(password) }
  return { method: 'GET', url, headers }
}

function postRequest(realm: URL, form: URLSearchParams): HttpRequest {
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: { kind: 'document', bytes: Buffer.from(form.toString()) },
  }
}

function refreshForm(
  token: string,
  service: string | undefined,
  scopes: readonly string[],
): URLSearchParams {
  return form(service, scopes, { grant_type: 'refresh_token', refresh_token: token })
}

function passwordForm(
  { username, password }: PasswordCredentials,
  service: string | undefined,
  scopes: readonly string[],
): URLSearchParams {
  return form(service, scopes, { grant_type: 'password', username, password })
}

function form(
  service: string | undefined,
  scopes: readonly string[],
  grant: Record<string, string>,
): URLSearchParams {
  return new URLSearchParams({
    ...grant,
    client_id: CLIENT_ID,
    ...(service === undefined ? {} : { service }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  })
}

/** The `Authorization` header of Basic authentication. Spec: RFC 7617 */
export function basicHeader({ username, password }: PasswordCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function parseGrant(body: Buffer): Grant {
  const {
    token,
    access_token: accessToken = '',
    expires_in: seconds = 0,
  } = readDocument(body, GRANT, {
    what: 'answer of its token service',
    code: 'REGISTRY_FAILED',
    isSecret: true,
  })
  return grantOf(token || accessToken, seconds)
}

function grantOf(text: string, seconds: number): Grant {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new TsbuildError('its token service answered without a token', {
      code: 'REGISTRY_FAILED',
    })
  }
  const lifetime = (seconds > 0 ? seconds : DEFAULT_LIFETIME) * 1000 * USED_LIFETIME
  return { text, lifetime }
}

function deniedError(response: HttpResponse, realm: URL): RegistryError {
  const { status } = response
  const isDenied = status === 401 || status === 403 || status === 400
  return new RegistryError(`its token service ${plainText(realm.host)} answered ${status}`, {
    code: isDenied ? 'REGISTRY_DENIED' : 'REGISTRY_FAILED',
    status,
  })
}
