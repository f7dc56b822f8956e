import { randomBytes } from 'node:crypto'
import { errorReply, jsonReply, type RecordedRequest, type Reply } from './http.ts'

export interface RegistryAuth {
  readonly kind: 'basic' | 'bearer'
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>
  /** Refresh tokens that are accepted. */
  readonly refreshTokens?: readonly string[]
  /** `true`: requests without credentials get tokens for pulling. */
  readonly anonymousPull?: boolean
  readonly tokenSeconds?: number
  /** Where tokens are given out; by default `/token` of the registry itself. */
  readonly realm?: string
  /** `false`: the token service knows only the OAuth2 form (POST). */
  readonly tokensByGet?: boolean
}

interface Token {
  readonly scopes: readonly string[]
  readonly expires: number
}

const SERVICE = 'memory-registry'

/** Checks who may do what, and gives out tokens. */
export class Guard {
  readonly #auth: RegistryAuth
  readonly #tokens = new Map<string, Token>()
  readonly #realm: string

  constructor(auth: RegistryAuth, origin: string) {
    this.#auth = auth
    this.#realm = auth.realm ?? `${origin}/token`
  }

  /** A token as the service would give it. */
  issue(scopes: readonly string[]): string {
    const token = randomBytes(12).toString('base64url')
    const seconds = this.#auth.tokenSeconds ?? 300
    this.#tokens.set(token, { scopes, expires: Date.now() + seconds * 1000 })
    return token
  }

  expireTokens(): void {
    this.#tokens.clear()
  }

  /** `undefined`: go ahead. */
  check(request: RecordedRequest, scope: string | undefined): Reply | undefined {
    const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ')
    if (this.#auth.kind === 'basic') {
      return this.#isUser(scheme, value) ? undefined : this.challenge(scope, undefined)
    }
    const token = scheme.toLowerCase() === 'bearer' ? this.#tokens.get(value) : undefined
    if (token === undefined || token.expires <= Date.now()) {
      return this.challenge(scope, value === '' ? undefined : 'invalid_token')
    }
    const isEnough = scope === undefined || token.scopes.some((granted) => allows(granted, scope))
    return isEnough ? undefined : this.challenge(scope, 'insufficient_scope')
  }

  /** Spec: distribution token authentication, both forms. */
  answerTokenRequest(request: RecordedRequest, body: string): Reply {
    const query = new URL(request.url, 'http://registry').searchParams
    const form = new URLSearchParams(body)
    if (request.method === 'POST') return this.#exchange(form)
    if (this.#auth.tokensByGet === false) return { status: 405 }
    const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ')
    const isUser = this.#isUser(scheme, value)
    if (scheme !== '' && !isUser) return errorReply(401, 'UNAUTHORIZED', 'wrong user or password')
    return this.#grant(query.getAll('scope'), isUser)
  }

  #exchange(form: URLSearchParams): Reply {
    const { users, refreshTokens = [] } = this.#auth
    const password = users[form.get('username') ?? '']
    const isAllowed =
      form.get('grant_type') === 'password'
        ? password !== undefined && password === form.get('password')
        : refreshTokens.includes(form.get('refresh_token') ?? '')
    if (!isAllowed) return jsonReply(401, { error: 'invalid_grant', details: 'not known here' })
    return this.#grant((form.get('scope') ?? '').split(' '), true)
  }

  #grant(scopes: readonly string[], isUser: boolean): Reply {
    const isAllowed = isUser || this.#auth.anonymousPull === true
    const granted = isUser ? scopes : scopes.map((scope) => scope.replace(/:[^:]*$/, ':pull'))
    const token = this.issue(isAllowed ? granted : [])
    return jsonReply(200, { token, expires_in: this.#auth.tokenSeconds ?? 300 })
  }

  #isUser(scheme: string, value: string): boolean {
    if (scheme.toLowerCase() !== 'basic') return false
    const [name = '', ...rest] = Buffer.from(value, 'base64').toString().split(':')
    return this.#auth.users[name] === rest.join(':')
  }

  /** The answer to a request that may not go on. */
  challenge(scope: string | undefined, error: string | undefined): Reply {
    const parameters = [
      `realm="${this.#realm}"`,
      `service="${SERVICE}"`,
      ...(scope === undefined ? [] : [`scope="${scope}"`]),
      ...(error === undefined ? [] : [`error="${error}"`]),
    ]
    const challenge =
      this.#auth.kind === 'basic' ? 'Basic realm="memory"' : `Bearer ${parameters.join(',')}`
    const reply = errorReply(401, 'UNAUTHORIZED', 'authentication required')
    return { ...reply, headers: { ...reply.headers, 'www-authenticate': challenge } }
  }
}

function allows(granted: string, wanted: string): boolean {
  const [, grantedName, grantedActions = ''] = granted.split(':')
  const [, wantedName, wantedActions = ''] = wanted.split(':')
  const have = grantedActions.split(',')
  return grantedName === wantedName && wantedActions.split(',').every((one) => have.includes(one))
}
