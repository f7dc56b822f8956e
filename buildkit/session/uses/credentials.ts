import { randomBytes } from 'node:crypto'
import {
  CREDENTIALS_REQUEST,
  CREDENTIALS_RESPONSE,
  FETCH_TOKEN_REQUEST,
  FETCH_TOKEN_RESPONSE,
  GET_TOKEN_AUTHORITY_REQUEST,
} from '#buildkit/messages'
import { TsbuildError } from '#core'
import type { CredentialStore, Credentials, FetchedToken, TokenRequest } from '#registry-client'
import { hasStatus } from '../call-error.ts'
import type { Caller } from '../session.ts'

const AUTH = '/moby.filesync.v1.Auth'

/** Milliseconds that a client may take: its helpers may ask a person. Spec: BuildKit, session/auth */
const PATIENCE = 60_000
/** Milliseconds that an answer is used: some passwords last five minutes. */
const KEPT = 60_000
const MOST_ANSWER = 256 * 1024
/** Registries that are remembered. */
const MOST_HOSTS = 100

/** As clients call it, which look for `https://index.docker.io/v1/` among their own credentials then. */
const HUB_HOST = 'registry-1.docker.io'

/** Some clients want to know it before they answer; nothing else depends on it here. */
const SALT = randomBytes(32)

const stores = new WeakMap<Caller, CredentialStore>()

/**
 * The credentials of a client, the same store for the same session. A client that fetches tokens keeps its passwords:
 * it is asked for one only where a registry has no tokens. Spec: BuildKit, session/auth and util/resolver
 */
export function sessionCredentials(session: Caller): CredentialStore {
  const known = stores.get(session)
  if (known !== undefined) return known
  const kept = new Map<string, { readonly until: number; readonly found: FoundCredentials }>()
  const store: CredentialStore = {
    get: (registryHost) => {
      const now = performance.now()
      const before = kept.get(registryHost)
      if (before !== undefined && before.until > now) return before.found
      const found = find(session, registryHost)
      kept.delete(registryHost)
      kept.set(registryHost, { until: now + KEPT, found })
      const [oldest] = kept.keys()
      if (kept.size > MOST_HOSTS && oldest !== undefined) kept.delete(oldest)
      found.catch(() => {
        if (kept.get(registryHost)?.found === found) kept.delete(registryHost)
      })
      return found
    },
    set: () => Promise.reject(readOnlyError()),
    erase: () => Promise.reject(readOnlyError()),
  }
  stores.set(session, store)
  return store
}

type FoundCredentials = Promise<Credentials | undefined>

async function find(session: Caller, registryHost: string): FoundCredentials {
  const host = registryHost === 'docker.io' ? HUB_HOST : registryHost
  if (!(await fetchesTokens(session, host))) return await password(session, host)
  return {
    kind: 'delegated',
    fetchToken: (request) => fetchToken(session, host, request),
    password: async () => {
      const found = await password(session, host)
      return found?.kind === 'password' ? found : undefined
    },
  }
}

/** A client says so with a key, by which its tokens could be used for its other sessions, too. */
async function fetchesTokens(session: Caller, host: string): Promise<boolean> {
  const request = GET_TOKEN_AUTHORITY_REQUEST.encode({ Host: host, Salt: SALT })
  try {
    await ask(session, 'GetTokenAuthority', request)
    return true
  } catch (cause) {
    // One that was told not to fetch tokens is `UNAVAILABLE`.
    if (hasStatus(cause, 'UNIMPLEMENTED', 'UNAVAILABLE')) return false
    throw cause
  }
}

async function password(
  session: Caller,
  host: string,
): Promise<Exclude<Credentials, { kind: 'delegated' }> | undefined> {
  const request = CREDENTIALS_REQUEST.encode({ Host: host })
  try {
    const answer = await ask(session, 'Credentials', request)
    const { Username: username, Secret: secret } = CREDENTIALS_RESPONSE.decode(answer)
    if (secret === '') return undefined
    if (username === '') return { kind: 'identity-token', username, token: secret }
    return { kind: 'password', username, password: secret }
  } catch (cause) {
    if (hasStatus(cause, 'UNIMPLEMENTED')) return undefined
    throw cause
  }
}

async function fetchToken(
  session: Caller,
  host: string,
  { clientId, realm, service, scopes }: TokenRequest,
): Promise<FetchedToken> {
  const request = FETCH_TOKEN_REQUEST.encode({
    ...{ ClientID: clientId, Host: host, Realm: realm, Service: service, Scopes: scopes },
  })
  const answer = FETCH_TOKEN_RESPONSE.decode(await ask(session, 'FetchToken', request))
  return { text: answer.Token, seconds: lifetimeOf(answer.ExpiresIn, answer.IssuedAt) }
}

/** What is left of a token that was issued some time ago; 0 where that is not said. */
function lifetimeOf(seconds: number, issuedAt: number): number {
  if (seconds <= 0 || issuedAt <= 0) return Math.max(seconds, 0)
  const age = Math.max(0, Date.now() / 1000 - issuedAt)
  return Math.max(1, seconds - age)
}

async function ask(session: Caller, method: string, request: Uint8Array): Promise<Uint8Array> {
  return await session.call(`${AUTH}/${method}`, request, { timeout: PATIENCE, limit: MOST_ANSWER })
}

function readOnlyError(): TsbuildError {
  return new TsbuildError('credentials of a client are its own to change', { code: 'UNSUPPORTED' })
}
