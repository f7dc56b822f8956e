import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type Bytes, digestOf, MEDIA_TYPES } from '#core'
import {
  type Credentials,
  type RegistryClient,
  RegistryError,
  type Repository,
} from '#registry-client'
import { MemoryRegistry, Recorder, type RegistryAuth } from '../support/registry/index.ts'
import {
  ALICE,
  addImage,
  blobOf,
  clientFor,
  fixedCredentials,
  pieces,
  readAll,
  repositoryOf,
  someBytes,
} from './support.ts'

const NAME = 'team/app'
const USERS = { alice: 'open-sesame' }
const BEARER: RegistryAuth = { kind: 'bearer', users: USERS }
const BYTES = someBytes(100_000)
const BLOB = blobOf(BYTES)

describe('authentication', () => {
  let registry: MemoryRegistry
  let client: RegistryClient

  async function start(auth: RegistryAuth, credentials?: Credentials): Promise<Repository> {
    registry = await MemoryRegistry.start({ auth })
    client = clientFor({ credentials: fixedCredentials(credentials) })
    return repositoryOf(client, registry)
  }
  afterEach(async () => {
    await client.close()
    await registry.close()
  })

  function tokenRequests(): readonly URL[] {
    return registry.requests
      .filter(({ url }) => url.startsWith('/token'))
      .map(({ url }) => new URL(url, registry.origin))
  }

  describe('Basic', () => {
    it('sends the password after the first challenge, and from then on at once', async () => {
      const repository = await start({ kind: 'basic', users: USERS }, ALICE)
      await repository.put(BLOB, pieces(BYTES))
      assert.equal(await repository.has(BLOB), true)
      assert.equal(registry.requests.filter(({ status }) => status === 401).length, 1)
    })

    it('says REGISTRY_DENIED without credentials, and with wrong ones', async () => {
      const repository = await start({ kind: 'basic', users: USERS })
      await assert.rejects(repository.has(BLOB), { code: 'REGISTRY_DENIED', status: 401 })
      const wrong = clientFor({
        credentials: fixedCredentials({ ...ALICE, password: 'wrong-one' }),
      })
      await assert.rejects(repositoryOf(wrong, registry).has(BLOB), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.match(error.message, /^look for blob sha256:.* denied access/)
        assert.match(error.hint ?? '', new RegExp(`tsbuild login ${registry.host}`))
        return true
      })
      await wrong.close()
    })
  })

  describe('Bearer', () => {
    it('fetches one token for each scope and uses it again', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      await repository.fetchManifest('1')
      await repository.put(BLOB, pieces(BYTES))
      await repository.has(BLOB)
      const scopes = tokenRequests().map(({ searchParams }) => searchParams.getAll('scope'))
      assert.deepEqual(scopes, [[`repository:${NAME}:pull`], [`repository:${NAME}:pull,push`]])
      assert.equal(tokenRequests()[0]?.searchParams.get('service'), 'memory-registry')
    })

    it('lets requests at the same time share one exchange', async () => {
      const repository = await start(BEARER, ALICE)
      await repository.has(BLOB)
      registry.expireTokens()
      await Promise.all(Array.from({ length: 8 }, () => repository.has(BLOB)))
      assert.ok(tokenRequests().length <= 3, `${tokenRequests().length} token requests`)
    })

    it('pulls anonymously and says who is needed to push', async () => {
      const repository = await start({ ...BEARER, anonymousPull: true })
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      assert.equal(tokenRequests()[0]?.searchParams.has('account'), false)
      await assert.rejects(repository.put(BLOB, pieces(BYTES)), { code: 'REGISTRY_DENIED' })
    })

    it('asks for the source of a mount as well', async () => {
      const repository = await start(BEARER, ALICE)
      registry.addBlob('library/base', BYTES)
      assert.equal(await repository.mount(BLOB, 'library/base'), true)
      const [url] = tokenRequests()
      assert.deepEqual(url?.searchParams.getAll('scope'), [
        `repository:${NAME}:pull,push`,
        'repository:library/base:pull',
      ])
    })

    it('uploads what it may not mount', async () => {
      const credentials = { kind: 'identity-token', username: 'x', token: 't' } as const
      const repository = await start({ ...BEARER, refreshTokens: ['t'] }, credentials)
      await repository.has(BLOB)
      registry.fail({
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
        registry.requests.some(({ url }) => url.includes('refresh-me')),
        false,
      )
    })

    it('sends a registry token as it is', async () => {
      registry = await MemoryRegistry.start({ auth: BEARER })
      const token = registry.issueToken([`repository:${NAME}:pull`])
      client = clientFor({ credentials: fixedCredentials({ kind: 'registry-token', token }) })
      assert.equal(await repositoryOf(client, registry).has(BLOB), false)
      assert.equal(tokenRequests().length, 0)
    })

    it('falls back to the OAuth2 form where GET is not known', async () => {
      const repository = await start({ ...BEARER, tokensByGet: false }, ALICE)
      await repository.put(BLOB, pieces(BYTES))
      assert.equal(
        registry.requests.some(({ url }) => url.includes('open-sesame')),
        false,
      )
    })

    it('does not let one cancelled request spoil the others', async () => {
      const repository = await start(BEARER, ALICE)
      await repository.has(BLOB)
      registry.expireTokens()
      const controller = new AbortController()
      const { signal } = controller
      const edit = () => {
        controller.abort()
        return { status: 401 }
      }
      registry.fail({ path: /token/, action: { kind: 'edit', edit } })
      await assert.rejects(repository.put(BLOB, pieces(BYTES), { signal }), { code: 'CANCELLED' })
      const before = registry.requests.length
      await assert.rejects(repository.has(BLOB, { signal }), { code: 'CANCELLED' })
      assert.equal(registry.requests.length, before)
      assert.equal(await repository.has(BLOB), false)
    })

    it('renews a token that the registry forgot, once', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      registry.expireTokens()
      await repository.resolve('1')
      assert.equal(tokenRequests().length, 2)
      registry.fail({
        times: 99,
        path: /manifests/,
        action: { kind: 'before', run: () => registry.expireTokens() },
      })
      await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_DENIED' })
      assert.ok(tokenRequests().length <= 4)
    })

    it('asks anew before a token expires', async () => {
      const repository = await start({ ...BEARER, tokenSeconds: 0.2 }, ALICE)
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      await delay(190)
      await repository.resolve('1')
      assert.equal(tokenRequests().length, 2)
      assert.equal(registry.requests.filter(({ status }) => status === 401).length, 1)
    })

    for (const method of ['POST', 'PATCH', 'PUT']) {
      it(`comes through a token that expires before the ${method} of an upload`, async () => {
        const repository = await start(BEARER, ALICE)
        await repository.put(blobOf(Buffer.from('x')), pieces(Buffer.from('x')))
        registry.fail({
          method,
          path: /uploads/,
          action: { kind: 'before', run: () => registry.expireTokens() },
        })
        const before = tokenRequests().length
        const blob = await repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES))
        assert.equal(blob.digest, BLOB.digest)
        assert.deepEqual(registry.blob(NAME, BLOB.digest), BYTES)
        assert.ok(tokenRequests().length - before <= 2)
      })
    }

    it('comes through a token that expires while an upload is under way', async () => {
      const repository = await start({ ...BEARER, tokenSeconds: 0.3 }, ALICE)
      const slow = async function* (): Bytes {
        for await (const chunk of pieces(BYTES, 10_000)) {
          yield chunk
          await delay(60)
        }
      }
      const blob = await repository.upload(MEDIA_TYPES.ociLayer, slow)
      assert.equal(blob.digest, BLOB.digest)
      assert.equal(registry.requests.filter(({ method }) => method === 'PATCH').length, 1)
    })

    it('asks for what the registry wants beyond what was thought of', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      const wanted = 'repository:mirror/team/app:pull'
      registry.fail({
        action: {
          kind: 'reply',
          reply: {
            status: 401,
            headers: {
              'www-authenticate': `Bearer realm="${registry.origin}/token",service="memory-registry",scope="${wanted} registry:catalog:*",error="insufficient_scope"`,
            },
          },
        },
      })
      await repository.resolve('1')
      const last = tokenRequests().at(-1)
      assert.deepEqual(last?.searchParams.getAll('scope'), [`repository:${NAME}:pull`, wanted])
    })
  })

  describe('challenges', () => {
    const odd: readonly (readonly [string, (origin: string) => string])[] = [
      ['several schemes', (at) => `Negotiate, Basic realm="x", Bearer realm="${at}/token"`],
      ['lower case and spaces', (at) => `bearer  realm = "${at}/token" , service=memory-registry`],
      ['escapes', (at) => `Bearer error="a \\"b\\", c=d",realm="${at}/token"`],
    ]
    for (const [what, header] of odd) {
      it(`are understood with ${what}`, async () => {
        const repository = await start(BEARER, ALICE)
        addImage(registry, NAME, { tag: '1' })
        const headers = { 'www-authenticate': header(registry.origin) }
        registry.fail({ action: { kind: 'reply', reply: { status: 401, headers } } })
        await repository.resolve('1')
        assert.equal(tokenRequests().length, 1)
      })
    }

    for (const header of [
      '',
      'Digest realm="x"',
      'Bearer service="x"',
      ',,,',
      '"',
      'x'.repeat(20_000),
    ]) {
      it(`are refused as ${JSON.stringify(header.slice(0, 20))}`, async () => {
        const repository = await start(BEARER, ALICE)
        const headers = { 'www-authenticate': header }
        registry.fail({ times: 9, action: { kind: 'reply', reply: { status: 401, headers } } })
        await assert.rejects(repository.resolve('1'), (error) => {
          assert.ok(error instanceof RegistryError)
          assert.ok(error.code === 'REGISTRY_DENIED' || error.code === 'REGISTRY_UNREACHABLE')
          return true
        })
        assert.equal(tokenRequests().length, 0)
      })
    }
  })

  describe('token service', () => {
    const answers: readonly (readonly [string, object | string, number])[] = [
      ['no token', {}, 200],
      ['a token with a line break', { token: 'a\r\nb' }, 200],
      ['no JSON', 'open-sesame {', 200],
      ['an endless token', { token: 'x'.repeat(2 * 1024 * 1024) }, 200],
      ['a redirect', {}, 302],
      ['a failure', { error: 'open-sesame' }, 400],
    ]
    for (const [what, document, status] of answers) {
      it(`may answer with ${what}: an error without secrets`, async () => {
        await using service = await Recorder.start(() => ({
          status,
          headers: { location: 'http://127.0.0.1:1/' },
          body: typeof document === 'string' ? document : JSON.stringify(document),
        }))
        const repository = await start({ ...BEARER, realm: `${service.origin}/t` }, ALICE)
        await assert.rejects(repository.resolve('1'), (error) => {
          assert.ok(error instanceof RegistryError)
          assert.match(error.code, /^REGISTRY_/)
          assert.equal(errorTexts(error).includes('open-sesame'), false)
          return true
        })
        assert.equal(service.requests.length, 1)
      })
    }

    it('may not change in the middle', async () => {
      await using other = await Recorder.start(() => ({ status: 200, body: '{"token":"t"}' }))
      const repository = await start(BEARER, ALICE)
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      const headers = { 'www-authenticate': `Bearer realm="${other.origin}/t"` }
      registry.fail({ action: { kind: 'reply', reply: { status: 401, headers } } })
      await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_DENIED' })
      assert.equal(other.requests.length, 0)
    })

    it('is named when it cannot be reached', async () => {
      const repository = await start({ ...BEARER, realm: 'http://127.0.0.1:9/t' }, ALICE)
      await assert.rejects(repository.resolve('1'), /token service.*127\.0\.0\.1:9/)
    })
  })

  describe('ping', () => {
    it('accepts right credentials and refuses wrong ones', async () => {
      for (const kind of ['basic', 'bearer'] as const) {
        await start({ kind, users: USERS })
        await client.ping(registry.host, ALICE)
        const wrong = { ...ALICE, password: 'wrong-one' }
        await assert.rejects(client.ping(registry.host, wrong), { code: 'REGISTRY_DENIED' })
        if (kind === 'basic') await Promise.all([client.close(), registry.close()])
      }
    })
  })

  describe('secrets', () => {
    it('go to nobody but the registry when it redirects', async () => {
      await using storage = await Recorder.start(() => ({ status: 200, body: BYTES }))
      for (const kind of ['basic', 'bearer'] as const) {
        const repository = await start({ kind, users: USERS }, ALICE)
        for (const status of [301, 302, 303, 307, 308]) {
          const location = `${storage.origin}/blob?signature=abc`
          registry.fail({
            method: 'GET',
            path: /blobs/,
            action: { kind: 'edit', edit: (reply) => redirectTo(reply.status, status, location) },
          })
          registry.addBlob(NAME, BYTES)
          if (status === 301) await repository.has(BLOB)
          assert.deepEqual(await readAll(await repository.open(BLOB)), BYTES)
        }
        if (kind === 'basic') await Promise.all([client.close(), registry.close()])
      }
      assert.equal(storage.requests.length, 10)
      for (const { headers } of storage.requests) {
        assert.equal(headers.authorization, undefined)
        assert.equal(JSON.stringify(headers).includes('open-sesame'), false)
        assert.deepEqual(Object.keys(headers).sort(), [
          'accept-encoding',
          'connection',
          'host',
          'user-agent',
        ])
      }
    })

    it('are not given to a host that challenges after a redirect', async () => {
      await using trap = await Recorder.start(() => ({
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="x"' },
      }))
      const repository = await start({ kind: 'basic', users: USERS }, ALICE)
      await repository.has(BLOB)
      registry.fail({
        action: { kind: 'edit', edit: (reply) => redirectTo(reply.status, 302, trap.origin) },
      })
      await assert.rejects(repository.open(BLOB), { code: 'REGISTRY_DENIED' })
      assert.deepEqual(
        trap.requests.map(({ headers }) => headers.authorization),
        [undefined],
      )
    })

    it('stay here when an upload goes elsewhere', async () => {
      await using storage = await Recorder.start(() => ({ status: 201 }))
      const repository = await start(BEARER, ALICE)
      registry.fail({
        method: 'POST',
        after: 1,
        action: {
          kind: 'edit',
          edit: () => ({ status: 202, headers: { location: `${storage.origin}/up?sig=1` } }),
        },
      })
      await repository.put(BLOB, pieces(BYTES))
      const [put] = storage.requests
      assert.equal(put?.headers.authorization, undefined)
      assert.match(put?.url ?? '', /^\/up\?sig=1&digest=sha256%3A/)
    })

    const targets = [
      'https://169.254.169.254/latest',
      'https://user:pw@127.0.0.1:9/x',
      'file:///etc/passwd',
      'http://registry.example/token',
      'http://[',
      `http://127.0.0.1/${'x'.repeat(3000)}`,
    ]
    for (const realm of targets) {
      it(`are not sent to the realm ${realm.slice(0, 40)}`, async () => {
        const repository = await start({ ...BEARER, realm }, ALICE)
        await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_DENIED' })
        assert.equal(registry.requests.length, 1)
      })
    }

    it('are not in any error, whatever a registry repeats', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(registry, NAME, { tag: '1' })
      await repository.resolve('1')
      const token = /Bearer (\S+)/.exec(registry.requests.at(-1)?.headers.authorization ?? '')?.[1]
      assert.ok(token !== undefined)
      const said = `alice open-sesame ${token} https://u:p@h/x?X-Signature=geheim \u001b[31m`
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message: said, detail: said }] })
      const path = /^\/v2\//
      registry.fail({ path, times: 99, action: { kind: 'reply', reply: { status: 403, body } } })
      for (const work of [
        () => repository.fetchManifest('1'),
        () => repository.put(BLOB, pieces(BYTES)),
        () => repository.putManifest('1', { mediaType: 'x/y', bytes: BYTES }),
      ]) {
        await assert.rejects(work, (error) => {
          const texts = errorTexts(error)
          assert.match(texts, /alice/)
          for (const secret of ['open-sesame', token, 'geheim', 'u:p', '\u001b']) {
            assert.equal(texts.includes(secret), false, `${secret} in ${texts}`)
          }
          return true
        })
      }
    })
  })
})

/** Only answers that would have been good are redirected: challenges come first. */
function redirectTo(real: number, status: number, location: string) {
  if (real === 401) return { status: 500, body: 'the challenge should have been answered before' }
  return { status, headers: { location }, body: digestOf('') }
}

function errorTexts(error: unknown): string {
  return inspect(error, { depth: 9, showHidden: true })
}
