import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport, DEFAULT_TIMEOUTS, networkFailure, type Transport } from '#http'
import { makeAuthority, makeSigned } from '../../support/networks/index.ts'

/** The proxy itself may be on this machine; what it is asked for is not. */
describe('a proxy that is spoken to over TLS', () => {
  let folder: string
  let authority: string
  let proxy: Server
  let origin: Server
  let asked: string[]
  let transport: Transport | undefined

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-test-'))
    const ca = await makeAuthority(folder, 'authority')
    authority = ca.cert
    const names = ['IP:127.0.0.1', 'DNS:origin.test']
    const { cert, key } = await makeSigned(folder, 'server', { authority: ca, names })
    const tls = { cert: readFileSync(cert), key: readFileSync(key) }
    origin = createServer(tls, (request, response) => {
      assert.equal(request.headers['proxy-authorization'], undefined)
      response.end('from the origin')
    })
    proxy = createServer(tls, (request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`)
      response.end('from the proxy')
    })
    proxy.on('connect', (request, socket, head) => {
      asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`)
      const way = connect((origin.address() as AddressInfo).port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        way.write(head)
        way.pipe(socket).pipe(way)
      })
      way.on('error', () => socket.destroy())
      socket.on('error', () => way.destroy())
    })
    for (const server of [origin, proxy]) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
  })
  beforeEach(() => {
    asked = []
  })
  afterEach(() => transport?.close())
  after(() => {
    for (const server of [origin, proxy]) {
      server?.closeAllConnections()
      server?.close()
    }
    rmSync(folder, { recursive: true, force: true })
  })

  function get(url: string, SSL_CERT_FILE: string): ReturnType<Transport['send']> {
    const ALL_PROXY = `https://me:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`
    transport = createTransport({
      timeouts: DEFAULT_TIMEOUTS,
      maxConnectionsPerHost: 2,
      environment: { ALL_PROXY, SSL_CERT_FILE },
    })
    return transport.send({ method: 'GET', url: new URL(url), headers: {} }, 'named')
  }

  const login = `Basic ${Buffer.from('me:p@ss').toString('base64')}`

  it('is asked for URLs and for tunnels, when the machine trusts its certificate', async () => {
    assert.equal(`${(await get('http://origin.test/x?y', authority)).body}`, 'from the proxy')
    assert.equal(`${(await get('https://origin.test/', authority)).body}`, 'from the origin')
    // The second tunnel is that with the authorities of the machine.
    assert.deepEqual(
      [...new Set(asked)],
      [`GET http://origin.test/x?y ${login}`, `CONNECT origin.test:443 ${login}`],
    )
  })

  it('gets no password before that', async () => {
    await assert.rejects(get('http://origin.test/', '/nonexistent'), (error) => {
      const { kind, text } = networkFailure(error)
      assert.equal(kind, 'proxy')
      assert.match(text, /^proxy https:\/\/127\.0\.0\.1:\d+ \(ALL_PROXY\): unable to/)
      return true
    })
    assert.deepEqual(asked, [])
  })
})
