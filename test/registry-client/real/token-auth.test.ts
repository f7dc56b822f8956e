import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Bytes, MEDIA_TYPES } from '#core'
import { type Credentials, createRegistryClient, type Repository } from '#registry-client'
import { makeAuthority } from '../../support/networks/index.ts'
import { type Registry, startRegistry, temporaryDirectory } from '../../support/peers/index.ts'
import { ALICE, blobOf, fixedCredentials, pieces, readAll, someBytes } from '../support.ts'
import { startTokenService, type TokenService } from './token-service.ts'

const BYTES = someBytes(300_000)
const BLOB = blobOf(BYTES)
const REFRESH = 'a-refresh-token'
const SECONDS = 2

describe('docker-registry with a token service', function () {
  this.timeout(60_000)
  const owned = new AsyncDisposableStack()
  let registry: Registry
  let service: TokenService

  before(async function () {
    if (!existsSync('/usr/bin/docker-registry')) return this.skip()
    const directory = temporaryDirectory('tokens')
    owned.defer(() => directory[Symbol.dispose]())
    const pair = await makeAuthority(directory.path, 'tokens')
    const names = { service: 'registry.test', issuer: 'tokens.test' }
    service = owned.use(
      await startTokenService({
        ...pair,
        ...names,
        user: ALICE,
        refreshTokens: [REFRESH],
        seconds: SECONDS,
      }),
    )
    const token = { realm: service.realm, ...names, rootcertbundle: pair.cert }
    registry = owned.use(await startRegistry({ auth: { token } }))
  })
  after(() => owned.disposeAsync())

  async function withRepository(
    credentials: Credentials | undefined,
    run: (repository: Repository) => Promise<void>,
  ): Promise<void> {
    await using client = createRegistryClient({ credentials: fixedCredentials(credentials) })
    await run(client.repository({ registry: registry.host, repository: 'team/app' }))
  }

  const both: readonly (readonly [string, Credentials])[] = [
    ['a password', ALICE],
    ['an identity token', { kind: 'identity-token', username: '', token: REFRESH }],
    ['tokens that are fetched elsewhere', fetchedElsewhere()],
  ]
  for (const [what, credentials] of both) {
    it(`takes ${what}`, () =>
      withRepository(credentials, async (repository) => {
        await repository.put(BLOB, () => pieces(BYTES))
        assert.deepEqual(await readAll(await repository.open(BLOB)), BYTES)
      }))
  }

  it('comes through a token that expires in the middle of an upload', () =>
    withRepository(ALICE, async (repository) => {
      let opened = 0
      const slow = async function* (): Bytes {
        opened++
        for await (const piece of pieces(BYTES, 150_000)) {
          yield piece
          await delay(SECONDS * 700)
        }
      }
      const { digest } = await repository.upload(MEDIA_TYPES.ociLayer, slow)
      assert.equal(digest, BLOB.digest)
      assert.equal(opened, 1)
    }))

  it('denies a wrong password, and nobody', async () => {
    for (const credentials of [{ ...ALICE, password: 'wrong-one' }, undefined]) {
      await withRepository(credentials, async (repository) => {
        await assert.rejects(repository.has(BLOB), { code: 'REGISTRY_DENIED' })
      })
    }
  })
})

/** Fetches tokens with a password that the registry's client never has. */
function fetchedElsewhere(): Credentials {
  return {
    kind: 'delegated',
    fetchToken: async ({ realm, service = '', scopes }) => {
      const url = new URL(realm)
      url.searchParams.set('service', service)
      for (const scope of scopes) url.searchParams.append('scope', scope)
      const basic = Buffer.from(`${ALICE.username}:${ALICE.password}`).toString('base64')
      const response = await fetch(url, { headers: { authorization: `Basic ${basic}` } })
      const { token } = (await response.json()) as { readonly token: string }
      return { text: token, seconds: SECONDS }
    },
    password: async () => assert.fail('a password was asked for'),
  }
}
