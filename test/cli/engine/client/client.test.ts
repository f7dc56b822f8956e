import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { chosenEndpoint, EngineClient, parseEndpoint } from '#engine/client'
import { makeAuthority, makeSigned } from '../../../support/networks/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'

/** Says what it was asked, but for these. */
const listener: RequestListener = async (request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://engine')
  response.setHeader('Api-Version', '1.44')
  if (pathname.endsWith('/conflict')) {
    response.writeHead(409).end('{"message":"Conflict. It is in use."}')
  } else if (pathname.endsWith('/silent')) {
    response.flushHeaders()
  } else if (request.method === 'HEAD') response.end()
  else response.end(JSON.stringify({ url: request.url, body: await text(request) }))
}

function upgrading(server: Server): Server {
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ')
    // What comes in goes out again, after the end of what comes in.
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => socket.end(Buffer.concat(chunks)))
  })
  return server
}

describe('a client of an engine', () => {
  let directory: TemporaryDirectory
  let server: Server
  let socket: string
  before(async () => {
    directory = temporaryDirectory('engine-client')
    socket = directory.file('engine.sock')
    server = upgrading(createServer(listener))
    await once(server.listen(socket), 'listening')
  })
  after(async () => {
    server?.closeAllConnections()
    server?.close()
    directory?.[Symbol.dispose]()
  })

  function client(env: Readonly<Record<string, string>> = {}): EngineClient {
    return new EngineClient({ kind: 'unix', path: socket }, { env })
  }

  it('speaks the version that both sides know, or the one that is asked for', async () => {
    using ours = client()
    const query = { a: 1, b: true, c: undefined, d: ['x', 'y'] }
    const answer = await ours.json({ path: '/info', query })
    assert.deepEqual(answer, { url: '/v1.44/info?a=1&b=1&d=x&d=y', body: '' })
    using older = client({ DOCKER_API_VERSION: '1.30' })
    assert.deepEqual(await older.json({ path: '/info' }), { url: '/v1.30/info', body: '' })
  })

  it('tells of an error what the engine says', async () => {
    using ours = client()
    const asked = ours.json({ method: 'DELETE', path: '/conflict' })
    await assert.rejects(asked, {
      code: 'CONFLICT',
      status: 409,
      message: 'Conflict. It is in use.',
    })
  })

  it('says so when there is no engine', async () => {
    using ours = new EngineClient({ kind: 'unix', path: directory.file('none') }, { env: {} })
    await assert.rejects(ours.json({ path: '/info' }), {
      code: 'ENGINE_UNREACHABLE',
      message: /Cannot connect to the Docker daemon at unix:\/\/.*none/,
    })
  })

  it('ends what is under way when it is told to', async () => {
    const controller = new AbortController()
    using ours = new EngineClient(
      { kind: 'unix', path: socket },
      { env: {}, signal: controller.signal },
    )
    const { body } = await ours.send({ path: '/silent' })
    const reading = text(body)
    controller.abort()
    await assert.rejects(reading)
    await assert.rejects(ours.json({ path: '/info' }), { code: 'CANCELLED' })
  })

  it('closes one direction of a stream, and reads on in the other', async () => {
    using ours = client()
    const stream = await ours.hijack({ method: 'POST', path: '/containers/x/attach' })
    stream.end('typed')
    assert.equal(await text(stream), 'hello typed')
  })

  it('speaks TLS, shows its certificate, and trusts only its own authority', async () => {
    const folder = directory.file('certificates')
    mkdirSync(folder)
    const authority = await makeAuthority(folder, 'authority')
    const names = ['DNS:localhost', 'IP:127.0.0.1']
    const server = await makeSigned(folder, 'server', { authority, names })
    const client = await makeSigned(folder, 'client', { authority })
    const shown = { ca: authority.cert, cert: client.cert, key: client.key }
    for (const [name, path] of Object.entries(shown))
      copyFileSync(path, join(folder, `${name}.pem`))
    const [ca, cert, key] = [authority.cert, server.cert, server.key].map((path) =>
      readFileSync(path),
    )
    const asked = { requestCert: true, rejectUnauthorized: true }
    const secure = upgrading(createTlsServer({ ca, cert, key, ...asked }, listener))
    await once(secure.listen(0, '127.0.0.1'), 'listening')
    try {
      const { port } = secure.address() as AddressInfo
      const env = {
        DOCKER_HOST: `tcp://localhost:${port}`,
        DOCKER_TLS_VERIFY: '1',
        DOCKER_CERT_PATH: folder,
      }
      const endpoint = chosenEndpoint(env)
      assert.ok(endpoint)
      using ours = new EngineClient(endpoint, { env })
      assert.deepEqual(await ours.json({ path: '/info' }), { url: '/v1.44/info', body: '' })
      const stream = await ours.hijack({ method: 'POST', path: '/containers/x/attach' })
      stream.end('typed')
      assert.equal(await text(stream), 'hello typed')
      const stranger = chosenEndpoint({ ...env, DOCKER_CERT_PATH: directory.path })
      assert.ok(stranger)
      using theirs = new EngineClient(stranger, { env })
      await assert.rejects(theirs.json({ path: '/info' }), { code: 'ENGINE_UNREACHABLE' })
    } finally {
      secure.closeAllConnections()
      secure.close()
    }
  })

  it('reaches a daemon of another machine through ssh', async () => {
    const bin = directory.file('bin')
    mkdirSync(bin)
    const relay = `const s = require("net").connect(${JSON.stringify(socket)}); process.stdin.pipe(s); s.pipe(process.stdout)`
    // The other machine is this one: what would be run there is kept, and the socket is reached.
    const script = `#!/bin/sh\necho "$@" > ${directory.file('words')}\nexec ${process.execPath} -e '${relay}'\n`
    writeFileSync(join(bin, 'ssh'), script)
    chmodSync(join(bin, 'ssh'), 0o755)
    const env = { PATH: `${bin}:/usr/bin:/bin` }
    using ours = new EngineClient(parseEndpoint('ssh://me@build.example:2222', undefined), { env })
    assert.deepEqual(await ours.json({ path: '/info' }), { url: '/v1.44/info', body: '' })
    const stream = await ours.hijack({ method: 'POST', path: '/containers/x/attach' })
    stream.end('typed')
    assert.equal(await text(stream), 'hello typed')
    const words = readFileSync(directory.file('words'), 'utf8')
    assert.match(words, /-l me -p 2222 -- build\.example sh -c .*docker system dial-stdio/)
  })

  it('is the one of a flag, of variables, or of a docker context', () => {
    const config = directory.file('docker')
    const id = createHash('sha256').update('far').digest('hex')
    mkdirSync(join(config, 'contexts/meta', id), { recursive: true })
    const Endpoints = { docker: { Host: 'tcp://far.example:2375' } }
    writeFileSync(
      join(config, 'contexts/meta', id, 'meta.json'),
      JSON.stringify({ Name: 'far', Endpoints }),
    )
    writeFileSync(join(config, 'config.json'), JSON.stringify({ currentContext: 'far' }))
    const env = { DOCKER_CONFIG: config }
    const far = { kind: 'tcp', host: 'far.example', port: 2375 }
    const near = { kind: 'unix', path: '/near' }
    assert.deepEqual(chosenEndpoint(env), far)
    assert.deepEqual(chosenEndpoint({ ...env, DOCKER_HOST: 'unix:///near' }), near)
    assert.deepEqual(
      chosenEndpoint({ ...env, DOCKER_HOST: 'unix:///near' }, { context: 'far' }),
      far,
    )
    assert.deepEqual(chosenEndpoint(env, { host: 'unix:///near' }), near)
    assert.equal(chosenEndpoint({ ...env, DOCKER_CONTEXT: 'default' }), undefined)
    assert.throws(() => chosenEndpoint(env, { host: 'unix:///near', context: 'far' }), {
      code: 'USAGE',
    })
    assert.throws(() => chosenEndpoint({ ...env, DOCKER_CONTEXT: 'nope' }), { code: 'NOT_FOUND' })
    const named = chosenEndpoint({}, { host: 'tcp://h', tls: 'verified', files: { ca: '/ca' } })
    assert.equal(named?.kind === 'tcp' && named.port === 2376 && named.tls?.ca, '/ca')
  })
})
