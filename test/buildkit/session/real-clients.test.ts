import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  openUpload,
  type Session,
  SessionContent,
  sendFile,
  sessionAgents,
  sessionCredentials,
  sessionSecrets,
} from '#buildkit/session'
import { collect } from '#core'
import { type CredentialStore, createRegistryClient } from '#registry-client'
import { startTokenService } from '../../registry-client/real/token-service.ts'
import { descriptorOf, inPieces } from '../../suites/blob-store.ts'
import { makeAuthority } from '../../support/networks/index.ts'
import {
  findPeers,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
  unpackPeers,
} from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { type WaitingClient, withClient } from './support/small-daemon.ts'

const USER = { username: 'alice', password: 'open sesame' }

describe('session: real clients', () => {
  let programs: string
  let at: TemporaryDirectory
  before(async function () {
    const peers = findPeers()
    if (peers === undefined) return this.skip()
    programs = await unpackPeers(peers)
    at = temporaryDirectory('clients')
    writeFileSync(at.file('secret'), 'of a file')
    mkdirSync(at.file('context'))
    writeFileSync(at.file('context/Dockerfile'), 'FROM scratch\n')
    execFileSync('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      'mine',
      '-f',
      at.file('key'),
    ])
  })
  after(() => at?.[Symbol.dispose]())

  /** buildctl with everything that it can give. */
  async function buildctl(
    env: Record<string, string>,
    work: (client: WaitingClient) => Promise<void>,
    output = `type=tar,dest=${at.file('out.tar')}`,
  ): Promise<void> {
    mkdirSync(at.file('docker'), { recursive: true })
    const options = { env: { DOCKER_CONFIG: at.file('docker'), ...env } }
    await withClient(
      async (address) => [
        join(programs, 'buildctl'),
        ...['--addr', address, 'build', '--frontend', 'dockerfile.v0'],
        ...[
          '--local',
          `context=${at.file('context')}`,
          '--local',
          `dockerfile=${at.file('context')}`,
        ],
        ...['--secret', `id=file,src=${at.file('secret')}`, '--ssh', `mine=${at.file('key')}`],
        ...['--export-cache', `type=local,dest=${at.file('cache')}`, '--output', output],
      ],
      options,
      work,
    )
  }

  it('give secrets', () =>
    buildctl({}, async ({ session }) => {
      const find = sessionSecrets(session)
      assert.equal(Buffer.from((await find('file')) ?? []).toString(), 'of a file')
      assert.equal(await find('other'), undefined)
    }))

  it('give agents', () =>
    buildctl({}, async ({ session }) => {
      assert.equal(await sessionAgents(session)('other'), undefined)
      const serve = (await sessionAgents(session)('mine')) ?? assert.fail()
      const path = at.file('agent')
      const server = createServer({ allowHalfOpen: true }, serve).listen(path)
      await once(server, 'listening')
      const env = { ...process.env, SSH_AUTH_SOCK: path }
      const child = spawn('/usr/bin/ssh-add', ['-L'], { env })
      const [keys] = (await once(child.stdout, 'data')) as [Buffer]
      const [type, key] = readFileSync(at.file('key.pub'), 'utf8').split(' ')
      assert.equal(keys.toString().startsWith(`${type} ${key} `), true)
      await once(child, 'close')
      const connection = connect(path)
      connection.destroy()
      server.close()
      await once(server, 'close')
    }))

  it('give tokens that docker-registry takes', async function () {
    if (!existsSync('/usr/bin/docker-registry')) return this.skip()
    const pair = await makeAuthority(at.path, 'tokens')
    const names = { service: 'registry.test', issuer: 'tokens.test' }
    const refreshTokens = ['a-refresh-token']
    await using service = await startTokenService({
      ...{ ...pair, ...names, user: USER, refreshTokens, seconds: 60 },
    })
    const token = { realm: service.realm, ...names, rootcertbundle: pair.cert }
    await using registry = await startRegistry({ auth: { token } })
    const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64')
    const identity = { auth: 'MDAwOg==', identitytoken: 'a-refresh-token' }
    for (const entry of [{ auth }, identity]) {
      putConfig({ [registry.host]: entry })
      await buildctl({}, async ({ session }) => {
        const credentials = sessionCredentials(session)
        assert.equal((await credentials.get(registry.host))?.kind, 'delegated')
        await pushTo(registry.host, credentials)
      })
    }
    putConfig({})
    await buildctl({}, async ({ session }) => {
      const pushing = pushTo(registry.host, sessionCredentials(session))
      await assert.rejects(pushing, (error: Error) => error.message.includes('401'))
    })
  })

  function putConfig(auths: object): void {
    mkdirSync(at.file('docker'), { recursive: true })
    writeFileSync(at.file('docker/config.json'), JSON.stringify({ auths }))
  }

  async function pushTo(registry: string, credentials: CredentialStore): Promise<void> {
    await using client = createRegistryClient({ credentials })
    const repository = client.repository({ registry, repository: 'a/b' })
    const bytes = randomBytes(1000)
    await repository.put(descriptorOf(bytes), () => inPieces(bytes))
    assert.equal(await repository.has(descriptorOf(bytes)), true)
  }

  for (const kind of ['bearer', 'basic'] as const) {
    // With tokens of its own a client first asks in a way that this registry does not know.
    const without = { BUILDKIT_NO_CLIENT_TOKEN: '1' }
    for (const env of kind === 'basic' ? [{}, without] : [without]) {
      const how = `${kind}${'BUILDKIT_NO_CLIENT_TOKEN' in env ? ', without fetching tokens' : ''}`
      it(`give credentials: ${how}`, async () => {
        const users = { [USER.username]: USER.password }
        await using registry = await MemoryRegistry.start({ auth: { kind, users } })
        const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64')
        const hub = Buffer.from('bob:of the hub').toString('base64')
        putConfig({ [registry.host]: { auth }, 'https://index.docker.io/v1/': { auth: hub } })
        await buildctl(env, async ({ session }) => {
          const credentials = sessionCredentials(session)
          const found = await credentials.get('docker.io')
          const password = found?.kind === 'delegated' ? await found.password() : found
          assert.deepEqual(password, { kind: 'password', username: 'bob', password: 'of the hub' })
          await pushTo(registry.host, credentials)
          const none = await credentials.get('other.example')
          assert.equal(none?.kind === 'delegated' ? await none.password() : none, undefined)
        })
      })
    }
  }

  it('take a file', () =>
    buildctl({}, async ({ session }) => {
      const bytes = randomBytes(20_000_000)
      const file = sendFile(session, { exporter: 0, metadata: { 'image.name': 'x' } })
      await pipeline(Readable.from(inPieces(bytes, 100_000)), file)
      assert.equal(readFileSync(at.file('out.tar')).equals(bytes), true)
      const none = sendFile(session, { exporter: 7 })
      const message = 'exporter 7 not found'
      await assert.rejects(pipeline(Readable.from([bytes]), none), { message })
    }))

  async function checkStore(session: Session, store: string, folder: string): Promise<void> {
    const content = new SessionContent(session, store)
    for (const size of [0, 5, 3_000_000]) {
      const bytes = randomBytes(size)
      const blob = descriptorOf(bytes)
      assert.equal(await content.has(blob), false)
      const failing = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, size - 1)
        throw new Error('broken source')
      }
      await assert.rejects(content.put(blob, failing()), { message: 'broken source' })
      assert.equal(await content.has(blob), false)
      await content.put(blob, inPieces(bytes, 70_000))
      await content.put(blob, inPieces(bytes, 70_000))
      assert.equal(await content.has(blob), true)
      assert.equal((await collect(await content.open(blob), size)).equals(bytes), true)
      const path = join(folder, 'blobs', ...blob.digest.split(':'))
      assert.equal(readFileSync(path).equals(bytes), true)
    }
    const begun = join(folder, 'ingest')
    assert.deepEqual(existsSync(begun) ? readdirSync(begun) : [], [])
    const absent = descriptorOf(randomBytes(7))
    await assert.rejects(content.open(absent), { code: 'NOT_FOUND' })
    const wrong = new SessionContent(session, 'local:/none')
    await assert.rejects(wrong.put(absent, inPieces(randomBytes(7))), { status: 'NOT_FOUND' })
  }

  it('have a folder for a cache', () =>
    buildctl({}, ({ session }) =>
      checkStore(session, `local:${at.file('cache')}`, at.file('cache')),
    ))

  it('have a folder for an image', () =>
    buildctl(
      {},
      ({ session }) => checkStore(session, 'export', at.file('image')),
      `type=oci,tar=false,dest=${at.file('image')}`,
    ))

  it('upload what is on their standard input', async () => {
    const bytes = randomBytes(10_000_000)
    writeFileSync(at.file('tar-me'), bytes)
    const tar = execFileSync('tar', ['-cC', at.path, 'tar-me'], { maxBuffer: 1e8 })
    const config = { BUILDX_CONFIG: at.file('buildx'), DOCKER_CONFIG: at.file('docker') }
    await withClient(
      async (address) => {
        const create = ['create', '--name', 'remote', '--driver', 'remote', address]
        const env = { ...process.env, ...config }
        // It looks whether somebody is there.
        const child = spawn(join(programs, 'docker-buildx'), create, { env, stdio: 'ignore' })
        await once(child, 'exit')
        return [join(programs, 'docker-buildx'), 'build', '--builder', 'remote', '-']
      },
      { env: config, input: tar },
      async ({ session, request, frontend }) => {
        assert.equal(request.Frontend, '')
        const url = (await frontend).get('context') ?? ''
        assert.match(url, /^http:\/\/buildkit-session\//)
        assert.equal((await collect(openUpload(session, url), 1e9)).equals(tar), true)
      },
    )
  })
})
