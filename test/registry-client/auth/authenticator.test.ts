import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type Bytes, MEDIA_TYPES } from '#core'
import { type Credentials, RegistryError, type Repository } from '#registry-client'
import type { RegistryAuth } from '../../support/registry/index.ts'
import { useRegistry } from '../fixture.ts'
import {
  ALICE,
  addImage,
  blobOf,
  clientFor,
  fixedCredentials,
  pieces,
  repositoryOf,
  someBytes,
} from '../support.ts'

const NAME = 'team/app'
const USERS = { alice: 'open-sesame' }
const BEARER: RegistryAuth = { kind: 'bearer', users: USERS }
const BYTES = someBytes(100_000)
const BLOB = blobOf(BYTES)

describe('authentication', () => {
  const fixture = useRegistry()

  function start(auth: RegistryAuth, credentials?: Credentials): Promise<Repository> {
    return fixture.start({ auth, credentials })
  }

  describe('Basic', () => {
    it('sends the password after the first challenge, and from then on at once', async () => {
      const repository = await start({ kind: 'basic', users: USERS }, ALICE)
      await repository.put(BLOB, pieces(BYTES))
      assert.equal(await repository.has(BLOB), true)
      assert.equal(fixture.registry.requests.filter(({ status }) => status === 401).length, 1)
    })

    it('reports REGISTRY_DENIED without credentials, and with wrong ones', async () => {
      const repository = await start({ kind: 'basic', users: USERS })
      await assert.rejects(repository.has(BLOB), { code: 'REGISTRY_DENIED', status: 401 })
      const wrong = clientFor({
        credentials: fixedCredentials({ ...ALICE, password: 'wrong-one' }),
      })
      await assert.rejects(repositoryOf(wrong, fixture.registry).has(BLOB), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.match(error.message, /^look for blob sha256:.* denied access/)
        assert.match(error.hint ?? '', new RegExp(`tsbuild login ${fixture.registry.host}`))
        return true
      })
      await wrong.close()
    })
  })

  describe('Bearer', () => {
    it('fetches one token for each scope and uses it again', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      await repository.fetchManifest('1')
      await repository.put(BLOB, pieces(BYTES))
      await repository.has(BLOB)
      const scopes = fixture.tokenRequests().map(({ searchParams }) => searchParams.getAll('scope'))
      assert.deepEqual(scopes, [[`repository:${NAME}:pull`], [`repository:${NAME}:pull,push`]])
      assert.equal(fixture.tokenRequests()[0]?.searchParams.get('service'), 'memory-registry')
    })

    it('lets requests at the same time share one exchange', async () => {
      const repository = await start(BEARER, ALICE)
      await repository.has(BLOB)
      fixture.registry.expireTokens()
      await Promise.all(Array.from({ length: 8 }, () => repository.has(BLOB)))
      assert.ok(
        fixture.tokenRequests().length <= 3,
        `${fixture.tokenRequests().length} token requests`,
      )
    })

    it('pulls anonymously and says who is needed to push', async () => {
      const repository = await start({ ...BEARER, anonymousPull: true })
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      assert.equal(fixture.tokenRequests()[0]?.searchParams.has('account'), false)
      await assert.rejects(repository.put(BLOB, pieces(BYTES)), { code: 'REGISTRY_DENIED' })
    })

    it('requests the source of a mount as well', async () => {
      const repository = await start(BEARER, ALICE)
      fixture.registry.addBlob('library/base', BYTES)
      assert.equal(await repository.mount(BLOB, 'library/base'), true)
      const [url] = fixture.tokenRequests()
      assert.deepEqual(url?.searchParams.getAll('scope'), [
        `repository:${NAME}:pull,push`,
        'repository:library/base:pull',
      ])
    })

    it('uploads what it may not mount', async () => {
      const credentials = { kind: 'identity-token', username: 'x', token: 't' } as const
      const repository = await start({ ...BEARER, refreshTokens: ['t'] }, credentials)
      await repository.has(BLOB)
      fixture.registry.fail({
        path: /^\/token/,
        action: { kind: 'reply', reply: { status: 403, body: '{"error":"insufficient"}' } },
      })
      assert.equal(await repository.mount(BLOB, 'secret/base'), false)
    })

    it('exchanges an identity token', async () => {
      const credentials = { kind: 'identity-token', username: 'x', token: 'refresh-me' } as const
      const repository = await start({ ...BEARER, refreshTokens: ['refresh-me'] }, credentials)
      await repository.put(BLOB, pieces(BYTES))
      assert.equal(
        fixture.registry.requests.some(({ url }) => url.includes('refresh-me')),
        false,
      )
    })

    it('sends a registry token as it is', async () => {
      await fixture.start({ auth: BEARER })
      const token = fixture.registry.issueToken([`repository:${NAME}:pull`])
      const credentials = fixedCredentials({ kind: 'registry-token', token })
      await using client = clientFor({ credentials })
      assert.equal(await repositoryOf(client, fixture.registry).has(BLOB), false)
      assert.equal(fixture.tokenRequests().length, 0)
    })

    it('falls back to the OAuth2 form where GET is not known', async () => {
      const repository = await start({ ...BEARER, tokensByGet: false }, ALICE)
      await repository.put(BLOB, pieces(BYTES))
      assert.equal(
        fixture.registry.requests.some(({ url }) => url.includes('open-sesame')),
        false,
      )
    })

    it('does not let one cancelled request spoil the others', async () => {
      const repository = await start(BEARER, ALICE)
      await repository.has(BLOB)
      fixture.registry.expireTokens()
      const controller = new AbortController()
      const { signal } = controller
      const edit = () => {
        controller.abort()
        return { status: 401 }
      }
      fixture.registry.fail({ path: /token/, action: { kind: 'edit', edit } })
      await assert.rejects(repository.put(BLOB, pieces(BYTES), { signal }), { code: 'CANCELLED' })
      const before = fixture.registry.requests.length
      await assert.rejects(repository.has(BLOB, { signal }), { code: 'CANCELLED' })
      assert.equal(fixture.registry.requests.length, before)
      assert.equal(await repository.has(BLOB), false)
    })

    it('renews a token that the registry forgot, once', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      fixture.registry.expireTokens()
      await repository.resolve('1')
      assert.equal(fixture.tokenRequests().length, 2)
      fixture.registry.fail({
        times: 99,
        path: /manifests/,
        action: { kind: 'before', run: () => fixture.registry.expireTokens() },
      })
      await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_DENIED' })
      assert.ok(fixture.tokenRequests().length <= 4)
    })

    it('renews a token that expires while the first request is repeated', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      const reply = { status: 503, headers: { 'retry-after': '60' } }
      fixture.registry.fail({ path: /manifests/, after: 1, action: { kind: 'reply', reply } })
      const run = () => fixture.registry.expireTokens()
      fixture.registry.fail({ path: /manifests/, after: 1, action: { kind: 'before', run } })
      await repository.fetchManifest('1')
      assert.deepEqual(
        fixture.registry.requests.map(({ status }) => status),
        [401, 200, 503, 401, 200, 200],
      )
    })

    it('uses none of several tokens when the registry refuses all that it gave out', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.fetchManifest('1')
      await repository.put(BLOB, pieces(BYTES))
      fixture.registry.expireTokens()
      await repository.fetchManifest('1')
    })

    it('asks for two tokens at the most when none is enough', async () => {
      const repository = await start(BEARER, ALICE)
      const reply = fixture.registry.challenge(`repository:${NAME}:pull`)
      fixture.registry.fail({ path: /manifests/, times: 99, action: { kind: 'reply', reply } })
      await assert.rejects(repository.fetchManifest('1'), { code: 'REGISTRY_DENIED' })
      assert.equal(fixture.tokenRequests().length, 2)
    })

    it('requests a new token before a token expires', async () => {
      const repository = await start({ ...BEARER, tokenSeconds: 1 }, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      await delay(950)
      await repository.resolve('1')
      assert.equal(fixture.tokenRequests().length, 2)
      assert.equal(fixture.registry.requests.filter(({ status }) => status === 401).length, 1)
    })

    it('requests one also where the clock of the machine was set back', async () => {
      const repository = await start({ ...BEARER, tokenSeconds: 1 }, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      await delay(950)
      const { now } = Date
      Date.now = () => now() - 3_600_000
      try {
        await repository.resolve('1')
      } finally {
        Date.now = now
      }
      assert.equal(fixture.tokenRequests().length, 2)
    })

    for (const method of ['POST', 'PATCH', 'PUT']) {
      it(`comes through a token that expires before the ${method} of an upload`, async () => {
        const repository = await start(BEARER, ALICE)
        await repository.put(blobOf(Buffer.from('x')), pieces(Buffer.from('x')))
        fixture.registry.fail({
          method,
          path: /uploads/,
          action: { kind: 'before', run: () => fixture.registry.expireTokens() },
        })
        const before = fixture.tokenRequests().length
        const blob = await repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES))
        assert.equal(blob.digest, BLOB.digest)
        assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
        assert.ok(fixture.tokenRequests().length - before <= 2)
      })
    }

    it('comes through a token that expires while an upload is under way', async () => {
      const repository = await start({ ...BEARER, tokenSeconds: 1 }, ALICE)
      const slow = async function* (): Bytes {
        for await (const chunk of pieces(BYTES, 10_000)) {
          yield chunk
          await delay(120)
        }
      }
      const blob = await repository.upload(MEDIA_TYPES.ociLayer, slow)
      assert.equal(blob.digest, BLOB.digest)
      assert.equal(fixture.registry.requests.filter(({ method }) => method === 'PATCH').length, 1)
    })

    it('requests what the registry wants beyond the expected scopes', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      const wanted = 'repository:mirror/team/app:pull'
      fixture.registry.fail({
        action: {
          kind: 'reply',
          reply: {
            status: 401,
            headers: {
              'www-authenticate': `Bearer realm="${fixture.registry.origin}/token",service="memory-registry",scope="${wanted} registry:catalog:*",error="insufficient_scope"`,
            },
          },
        },
      })
      await repository.resolve('1')
      const last = fixture.tokenRequests().at(-1)
      assert.deepEqual(last?.searchParams.getAll('scope'), [`repository:${NAME}:pull`, wanted])
    })
  })

  describe('ping', () => {
    it('accepts right credentials and refuses wrong ones', async () => {
      for (const kind of ['basic', 'bearer'] as const) {
        await start({ kind, users: USERS })
        await fixture.client.ping(fixture.registry.host, ALICE)
        const wrong = { ...ALICE, password: 'wrong-one' }
        await assert.rejects(fixture.client.ping(fixture.registry.host, wrong), {
          code: 'REGISTRY_DENIED',
        })
      }
    })
  })
})
