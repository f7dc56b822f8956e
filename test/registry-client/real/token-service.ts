import { createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Who gives out tokens for what. */
export interface TokenServiceSettings {
  /** Files in PEM; the registry trusts the certificate. */
  readonly cert: string
  readonly key: string
  readonly service: string
  readonly issuer: string
  readonly user: { readonly username: string; readonly password: string }
  /** Refresh tokens that it takes in the place of the password. */
  readonly refreshTokens: readonly string[]
  readonly seconds: number
}

/** A token service whose tokens docker-registry verifies. Spec: distribution token authentication */
export interface TokenService extends AsyncDisposable {
  readonly realm: string
  /** Methods of the requests so far. */
  readonly requests: readonly string[]
}

export async function startTokenService(settings: TokenServiceSettings): Promise<TokenService> {
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    requests.push(request.method ?? '')
    const scopes = await allowedScopes(request, settings)
    response.writeHead(scopes === undefined ? 401 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(scopes === undefined ? {} : grant(scopes, settings)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What is asked for, by one who may have it. */
async function allowedScopes(
  request: IncomingMessage,
  { user, refreshTokens }: TokenServiceSettings,
): Promise<readonly string[] | undefined> {
  if (request.method === 'POST') {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const isKnown = refreshTokens.includes(form.get('refresh_token') ?? '')
    return isKnown ? (form.get('scope') ?? '').split(' ') : undefined
  }
  const basic = Buffer.from(`${user.username}:${user.password}`).toString('base64')
  if (request.headers.authorization !== `Basic ${basic}`) return undefined
  return new URL(request.url ?? '', 'http://service').searchParams.getAll('scope')
}

function grant(scopes: readonly string[], settings: TokenServiceSettings): object {
  const { cert, key, service: aud, issuer: iss, seconds } = settings
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':')
    return { type, name, actions: actions.split(',') }
  })
  const now = Math.floor(Date.now() / 1000)
  const times = { exp: now + seconds, nbf: now - 10, iat: now }
  const der = readFileSync(cert, 'utf8').replace(/-----[^-]+-----|\s/g, '')
  const head = { typ: 'JWT', alg: 'RS256', x5c: [der] }
  const claims = { iss, aud, sub: settings.user.username, jti: String(now), access, ...times }
  const signed = [head, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = createSign('RSA-SHA256').update(signed).sign(readFileSync(key, 'utf8'))
  const text = `${signed}.${signature.toString('base64url')}`
  return { token: text, access_token: text, expires_in: seconds }
}
