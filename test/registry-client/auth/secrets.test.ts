import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { digestOf } from '#core'
import type { Credentials, Repository } from '#registry-client'
import { Recorder, type RegistryAuth } from '../../support/registry/index.ts'
import { useRegistry } from '../fixture.ts'
import { ALICE, addImage, blobOf, pieces, readAll, someBytes } from '../support.ts'

const NAME = 'team/app'
const USERS = { alice: 'open-sesame' }
const BEARER: RegistryAuth = { kind: 'bearer', users: USERS }
const BYTES = someBytes(100_000)
const BLOB = blobOf(BYTES)

describe('what reaches other hosts', () => {
  const fixture = useRegistry()

  function start(auth: RegistryAuth, credentials?: Credentials): Promise<Repository> {
    return fixture.start({ auth, credentials })
  }

  describe('secrets', () => {
    it('go to the registry only when it redirects', async () => {
      await using storage = await Recorder.start(() => ({ status: 200, body: BYTES }))
      for (const kind of ['basic', 'bearer'] as const) {
        const repository = await start({ kind, users: USERS }, ALICE)
        for (const status of [301, 302, 303, 307, 308]) {
          const location = `${storage.origin}/blob?signature=abc`
          fixture.registry.fail({
            method: 'GET',
            path: /blobs/,
            action: { kind: 'edit', edit: (reply) => redirectTo(reply.status, status, location) },
          })
          fixture.registry.addBlob(NAME, BYTES)
          if (status === 301) await repository.has(BLOB)
          assert.deepEqual(await readAll(await repository.open(BLOB)), BYTES)
        }
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
      fixture.registry.fail({
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
      fixture.registry.fail({
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
        assert.equal(fixture.registry.requests.length, 1)
      })
    }

    it('are not in any error, whatever a registry repeats', async () => {
      const repository = await start(BEARER, ALICE)
      addImage(fixture.registry, NAME, { tag: '1' })
      await repository.resolve('1')
      const token = /Bearer (\S+)/.exec(
        fixture.registry.requests.at(-1)?.headers.authorization ?? '',
      )?.[1]
      assert.ok(token !== undefined)
      const secrets = `alice open-sesame ${token} https://u:p@h/x?X-Signature=geheim \u001b[31m`
      const body = JSON.stringify({
        errors: [{ code: 'DENIED', message: secrets, detail: secrets }],
      })
      const path = /^\/v2\//
      fixture.registry.fail({
        path,
        times: 99,
        action: { kind: 'reply', reply: { status: 403, body } },
      })
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
