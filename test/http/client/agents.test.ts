import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTransport, DEFAULT_TIMEOUTS, networkFailure, type Transport } from '#http'
import { makeCertificate, startWebServer } from '../../support/servers/index.ts'

describe('connections over TLS', () => {
  let tls: ReturnType<typeof makeCertificate>
  let transport: Transport

  before(function () {
    tls = makeCertificate()
    if (tls === undefined) this.skip()
  })
  beforeEach(() => {
    transport = createTransport({ timeouts: DEFAULT_TIMEOUTS, maxConnectionsPerHost: 2 })
  })
  afterEach(() => transport.close())

  const get = (url: string) => ({ method: 'GET', url: new URL(url), headers: {} }) as const

  it('need a certificate that is trusted, unless the user allows any, and are kept', async () => {
    let connections = 0
    const server = createServer({ ...tls }, (_request, response) => void response.end('secret'))
    server.on('secureConnection', () => connections++)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
      for (const destination of ['named', 'redirected-from-loopback'] as const) {
        await assert.rejects(transport.send(get(url), destination), (error) => {
          const { kind, code } = networkFailure(error)
          assert.deepEqual([kind, code], ['tls', 'DEPTH_ZERO_SELF_SIGNED_CERT'])
          return true
        })
      }
      const before = connections
      for (let count = 0; count < 3; count++) {
        assert.equal(`${(await transport.send(get(url), 'named-insecure')).body}`, 'secret')
      }
      assert.equal(connections, before + 1)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('to a server that does not speak it are an error, and nothing is sent in the clear', async () => {
    await using server = await startWebServer((_request, response) => void response.end())
    const url = server.origin.replace('http:', 'https:')
    await assert.rejects(transport.send(get(url), 'named-insecure'), (error) => {
      assert.match(networkFailure(error).code ?? '', /^(?:ECONNRESET|EPROTO|ERR_SSL_.*)$/)
      return true
    })
    assert.equal(server.seen.length, 0)
  })
})
