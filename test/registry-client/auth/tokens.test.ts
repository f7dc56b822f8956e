import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type Credentials, RegistryError, type Repository } from '#registry-client'
import { Recorder, type RegistryAuth } from '../../support/registry/index.ts'
import { useRegistry } from '../fixture.ts'
import { ALICE, addImage } from '../support.ts'

const NAME = 'team/app'
const USERS = { alice: 'open-sesame' }
const BEARER: RegistryAuth = { kind: 'bearer', users: USERS }

describe('token services', () => {
  const fixture = useRegistry()

  function start(auth: RegistryAuth, credentials?: Credentials): Promise<Repository> {
    return fixture.start({ auth, credentials })
  }

  describe('challenges', () => {
    const odd: readonly (readonly [string, (origin: string) => string])[] = [
      ['several schemes', (at) => `Negotiate, Basic realm="x", Bearer realm="${at}/token"`],
      ['lower case and spaces', (at) => `bearer  realm = "${at}/token" , service=memory-registry`],
      ['escapes', (at) => `Bearer error="a \\"b\\", c=d",realm="${at}/token"`],
    ]
    for (const [what, header] of odd) {
      it(`are understood with ${what}`, async () => {
        const repository = await start(BEARER, ALICE)
        addImage(fixture.registry, NAME, { tag: '1' })
        const headers = { 'www-authenticate': header(fixture.registry.origin) }
        fixture.registry.fail({ action: { kind: 'reply', reply: { status: 401, headers } } })
        await repository.resolve('1')
        assert.equal(fixture.tokenRequests().length, 1)
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
        fixture.registry.fail({
          times: 9,
          action: { kind: 'reply', reply: { status: 401, headers } },
        })
        await assert.rejects(repository.resolve('1'), (error) => {
          assert.ok(error instanceof RegistryError)
          assert.ok(error.code === 'REGISTRY_DENIED' || error.code === 'REGISTRY_UNREACHABLE')
          return true
        })
        assert.equal(fixture.tokenRequests().length, 0)
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
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      const headers = { 'www-authenticate': `Bearer realm="${other.origin}/t"` }
      fixture.registry.fail({ action: { kind: 'reply', reply: { status: 401, headers } } })
      await assert.rejects(repository.resolve('1'), { code: 'REGISTRY_DENIED' })
      assert.equal(other.requests.length, 0)
    })

    it('is named when it cannot be reached', async () => {
      const repository = await start({ ...BEARER, realm: 'http://127.0.0.1:9/t' }, ALICE)
      await assert.rejects(repository.resolve('1'), /token service.*127\.0\.0\.1:9/)
    })
  })
})

function errorTexts(error: unknown): string {
  return inspect(error, { depth: 9, showHidden: true })
}
