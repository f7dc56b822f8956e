import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type RequestOptions, request } from 'node:https'
import { makeAuthority, makeSigned } from '../../support/networks/index.ts'
import { freePort, temporaryDirectory } from '../../support/peers/index.ts'
import { type ServedEngine, serveHere } from './support/served-engine.ts'

describe('an engine on a port (T-J1, T-J2)', function () {
  this.timeout(60_000)
  const stack = new AsyncDisposableStack()
  let engine: ServedEngine
  let port: number
  let ca: string
  let known: Pick<RequestOptions, 'cert' | 'key'>
  let stranger: Pick<RequestOptions, 'cert' | 'key'>

  before(async () => {
    const { path } = stack.use(temporaryDirectory('tls'))
    const [ours, theirs] = [await makeAuthority(path, 'ours'), await makeAuthority(path, 'theirs')]
    const server = await makeSigned(path, 'server', { authority: ours, names: ['IP:127.0.0.1'] })
    const read = ({ cert, key }: { cert: string; key: string }) => ({
      cert: readFileSync(cert, 'utf8'),
      key: readFileSync(key, 'utf8'),
    })
    known = read(await makeSigned(path, 'client', { authority: ours }))
    stranger = read(await makeSigned(path, 'stranger', { authority: theirs }))
    ca = readFileSync(ours.cert, 'utf8')
    port = await freePort()
    engine = await serveHere({
      hosts: [`tcp://127.0.0.1:${port}`],
      tls: { ca: ours.cert, cert: server.cert, key: server.key },
    })
  })
  after(async () => {
    await engine[Symbol.asyncDispose]()
    await stack.disposeAsync()
  })

  async function ask(
    client: Pick<RequestOptions, 'cert' | 'key'>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const sent = request({
      ...{ host: '127.0.0.1', port, path: '/info', ca, headers, agent: false },
      ...client,
    })
    sent.end()
    const [response] = await once(sent, 'response')
    response.resume()
    return response.statusCode
  }

  it('answers a client with a certificate of its authority', async () => {
    assert.equal(await ask(known), 200)
  })

  it('says nothing to others', async () => {
    await assert.rejects(ask({}), /alert|reset|hang up/)
    await assert.rejects(ask(stranger), /alert|reset|hang up/)
  })

  it('does not do what a page in a browser asks for', async () => {
    assert.equal(await ask(known, { Origin: 'http://evil.example' }), 403)
    assert.equal(await ask(known, { 'Sec-Fetch-Site': 'cross-site' }), 403)
  })
})
