import assert from 'node:assert/strict'
import {
  CREDENTIALS_REQUEST,
  CREDENTIALS_RESPONSE,
  FETCH_TOKEN_REQUEST,
  FETCH_TOKEN_RESPONSE,
  GET_TOKEN_AUTHORITY_REQUEST,
  GET_TOKEN_AUTHORITY_RESPONSE,
} from '#buildkit/messages'
import { sessionCredentials } from '#buildkit/session'
import type { TsbuildError } from '#core'
import { createRegistryClient, type Repository } from '#registry-client'
import { MemoryRegistry } from '../../../support/registry/index.ts'
import { failure, type Peer, type PeerMethods, startPeer, unary } from '../support/grpc-peer.ts'

const AUTH = '/moby.filesync.v1.Auth'
const USER = 'alice'
const PASSWORD = 'open sesame'

interface AuthOptions {
  readonly username?: string
  readonly secret?: string
  /** What asking for a key gives: a key, or the status of an error. */
  readonly authority?: 'key' | number
  readonly expires?: number
}

/** What a client answers, and what it was asked. */
function auth({
  username = USER,
  secret = PASSWORD,
  authority = 'key',
  expires = 60,
}: AuthOptions): { readonly methods: PeerMethods; readonly asked: string[] } {
  const asked: string[] = []
  const methods: PeerMethods = {
    [`${AUTH}/Credentials`]: unary((request) => {
      asked.push(`credentials of ${CREDENTIALS_REQUEST.decode(request).Host}`)
      return CREDENTIALS_RESPONSE.encode({ Username: username, Secret: secret })
    }),
    [`${AUTH}/GetTokenAuthority`]: unary((request) => {
      const { Host, Salt } = GET_TOKEN_AUTHORITY_REQUEST.decode(request)
      asked.push(`key of ${Host}`)
      assert.equal(Salt.length, 32)
      if (authority !== 'key') throw failure(authority, 'no')
      return GET_TOKEN_AUTHORITY_RESPONSE.encode({ PublicKey: Buffer.alloc(32, 1) })
    }),
    [`${AUTH}/FetchToken`]: (call) => {
      call.on('error', () => undefined)
      call.once('data', (request: Buffer) => {
        const { Realm, Service, Scopes, Host } = FETCH_TOKEN_REQUEST.decode(request)
        asked.push(`token of ${Host} for ${Scopes.join(' ')}`)
        void fetchToken(Realm, Service, Scopes).then((Token) => {
          call.write(FETCH_TOKEN_RESPONSE.encode({ Token, ExpiresIn: expires }))
          call.end()
        })
      })
    },
  }
  return { methods, asked }
}

async function fetchToken(
  realm: string,
  service: string,
  scopes: readonly string[],
): Promise<string> {
  const url = new URL(realm)
  url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
  const response = await fetch(url, { headers: { authorization } })
  return ((await response.json()) as { readonly token: string }).token
}

async function withRepository(
  peer: Peer,
  registry: MemoryRegistry,
  run: (repository: Repository) => Promise<void>,
): Promise<void> {
  await using client = createRegistryClient({ credentials: sessionCredentials(peer.session) })
  await run(client.repository({ registry: registry.host, repository: 'team/app' }))
}

const users = { [USER]: PASSWORD }

describe('session: credentials', () => {
  it("are tokens that the client fetches, and its password isn't asked for", async () => {
    await using registry = await MemoryRegistry.start({ auth: { kind: 'bearer', users } })
    const { methods, asked } = auth({})
    await using peer = await startPeer(methods)
    for (let time = 0; time < 2; time++) {
      await withRepository(peer, registry, async (repository) => {
        await assert.rejects(repository.resolve('latest'), { code: 'NOT_FOUND' })
        await assert.rejects(repository.resolve('other'), { code: 'NOT_FOUND' })
      })
    }
    const token = `token of ${registry.host} for repository:team/app:pull`
    assert.deepEqual(asked, [`key of ${registry.host}`, token, token])
    const others = registry.requests.filter(({ url }) => !url.startsWith('/token'))
    assert.ok(others.length > 3)
    assert.ok(!others.some(({ headers }) => headers.authorization?.startsWith('Basic')))
  })

  it('are a password where the registry has no tokens', async () => {
    await using registry = await MemoryRegistry.start({ auth: { kind: 'basic', users } })
    const { methods, asked } = auth({})
    await using peer = await startPeer(methods)
    await withRepository(peer, registry, async (repository) => {
      await assert.rejects(repository.resolve('latest'), { code: 'NOT_FOUND' })
      await assert.rejects(repository.resolve('other'), { code: 'NOT_FOUND' })
    })
    assert.deepEqual(asked, [`key of ${registry.host}`, `credentials of ${registry.host}`])
  })

  for (const authority of [12, 14]) {
    it(`are a password where the client fetches no tokens (${authority})`, async () => {
      await using registry = await MemoryRegistry.start({ auth: { kind: 'bearer', users } })
      const { methods, asked } = auth({ authority })
      await using peer = await startPeer(methods)
      await withRepository(peer, registry, async (repository) => {
        await assert.rejects(repository.resolve('latest'), { code: 'NOT_FOUND' })
      })
      assert.deepEqual(asked, [`key of ${registry.host}`, `credentials of ${registry.host}`])
    })
  }

  it('are denied where they are wrong', async () => {
    await using registry = await MemoryRegistry.start({ auth: { kind: 'basic', users } })
    await using peer = await startPeer(auth({ secret: 'wrong' }).methods)
    await withRepository(peer, registry, async (repository) => {
      await assert.rejects(repository.resolve('latest'), { code: 'REGISTRY_DENIED' })
    })
  })

  it('fail where the client does', async () => {
    await using registry = await MemoryRegistry.start({ auth: { kind: 'bearer', users } })
    await using peer = await startPeer(auth({ authority: 2 }).methods)
    await withRepository(peer, registry, async (repository) => {
      await assert.rejects(repository.resolve('latest'), (error: TsbuildError) => {
        return error.code === 'IO_FAILED' && error.message.endsWith(': no')
      })
    })
  })

  it('are of each kind that a client has', async () => {
    const found = async (options: AuthOptions): Promise<unknown> => {
      await using peer = await startPeer(auth({ authority: 12, ...options }).methods)
      return await sessionCredentials(peer.session).get('a.example:5000')
    }
    assert.deepEqual(await found({}), { kind: 'password', username: USER, password: PASSWORD })
    const identity = { kind: 'identity-token', username: '', token: 'refresh' }
    assert.deepEqual(await found({ username: '', secret: 'refresh' }), identity)
    assert.equal(await found({ username: '', secret: '' }), undefined)
    await using peer = await startPeer({})
    assert.equal(await sessionCredentials(peer.session).get('a.example'), undefined)
  })

  it("of Docker Hub are asked for by its registry's name, once for a session", async () => {
    const { methods, asked } = auth({ authority: 12 })
    await using peer = await startPeer(methods)
    await Promise.all([
      sessionCredentials(peer.session).get('docker.io'),
      sessionCredentials(peer.session).get('docker.io'),
    ])
    const host = 'registry-1.docker.io'
    assert.deepEqual(asked, [`key of ${host}`, `credentials of ${host}`])
    await using other = await startPeer(methods)
    await sessionCredentials(other.session).get('docker.io')
    assert.equal(asked.length, 4)
  })

  it('are not changed', async () => {
    await using peer = await startPeer({})
    const store = sessionCredentials(peer.session)
    const password = { kind: 'password', username: 'a', password: 'b' } as const
    await assert.rejects(store.set('a.example', password), { code: 'UNSUPPORTED' })
    await assert.rejects(store.erase('a.example'), { code: 'UNSUPPORTED' })
  })

  it('that are not tokens are not sent to a registry', async () => {
    for (const Token of ['', 'a\r\nb', 'ü']) {
      await using registry = await MemoryRegistry.start({ auth: { kind: 'bearer', users } })
      const { methods } = auth({})
      const answer = unary(() => FETCH_TOKEN_RESPONSE.encode({ Token, ExpiresIn: 60 }))
      await using peer = await startPeer({
        ...methods,
        [`${AUTH}/FetchToken`]: answer ?? assert.fail(),
      })
      await withRepository(peer, registry, async (repository) => {
        await assert.rejects(repository.resolve('latest'), { code: 'REGISTRY_FAILED' })
      })
    }
  })
})
