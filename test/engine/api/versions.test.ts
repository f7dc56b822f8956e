/** What differs between versions of the API, for clients that were written for one of them. */
import assert from 'node:assert/strict'
import { isJsonObject, type Json, type JsonObject } from '#core'
import { type Answer, ask } from '../support/socket-http.ts'
import { open, type ServedEngine, serveHere } from './support/served-engine.ts'

describe('versions of the API', () => {
  let engine: ServedEngine
  before(async () => {
    engine = await serveHere()
    await ask(engine.socket, 'POST', '/volumes/create', '{"Name":"kept"}')
  })
  after(async () => await engine[Symbol.asyncDispose]())

  const get = async (path: string): Promise<Answer> => await ask(engine.socket, 'GET', path)
  const object = async (path: string): Promise<JsonObject> => {
    const document = JSON.parse((await get(path)).body) as Json
    assert.ok(isJsonObject(document), path)
    return document
  }

  it('are refused in words that the client reads, where there is such a path', async () => {
    const cases = [
      ['/v1.23/info', 400, 'text/plain; charset=utf-8', /^client version 1\.23 is too old\..*\n$/],
      ['/v0.9/info', 400, 'text/plain; charset=utf-8', /^client version 0\.9 is too old\..*\n$/],
      ['/v1.57/info', 400, 'application/json', /^\{"message":"client version 1\.57 is too new\./],
      ['/v2.0/info', 400, 'application/json', /^\{"message":"client version 2\.0 is too new\./],
      ['/v1.23/nonsense', 404, 'application/json', /^\{"message":"page not found"\}$/],
      ['/vnonsense/info', 404, 'application/json', /^\{"message":"page not found"\}$/],
    ] as const
    for (const [path, status, type, words] of cases) {
      const answer = await get(path)
      assert.deepEqual([answer.status, answer.headers['content-type']], [status, type], path)
      assert.match(answer.body, words)
      assert.equal(answer.headers['docker-experimental'], undefined, path)
      assert.equal(answer.headers['api-version'], status === 400 ? '1.56' : undefined, path)
    }
    assert.equal((await get('/v1.56/info')).headers['docker-experimental'], 'false')
  })

  it('have events as documents of the type that is asked for', async () => {
    const events = async (minor: number, accept?: string) => {
      const connection = await open(engine.socket)
      const lines = [
        `GET /v1.${minor}/events?since=1&until=${Date.now() / 1000} HTTP/1.0`,
        ...(accept === undefined ? [] : [`Accept: ${accept}`]),
      ]
      connection.end(`${lines.join('\r\n')}\r\n\r\n`)
      const text = (await connection.setEncoding('utf8').toArray()).join('')
      const [head = '', body = ''] = text.split('\r\n\r\n')
      assert.match(body, /"volume"/)
      return [/content-type: (.*)/i.exec(head)?.[1], body.slice(0, 1)]
    }
    assert.deepEqual(await events(51), ['application/json', '{'])
    assert.deepEqual(await events(52), ['application/jsonl', '{'])
    assert.deepEqual(await events(52, 'text/html, */*'), ['application/jsonl', '{'])
    assert.deepEqual(await events(56, 'application/x-ndjson'), ['application/x-ndjson', '{'])
    const sequence = 'application/json-seq'
    assert.deepEqual(await events(51, `text/x, ${sequence};q=1`), [sequence, '\u001e'])
  })

  it('have fields of /info as long as docker has', async () => {
    const namesAt = async (minor: number): Promise<readonly string[]> => {
      const { RegistryConfig, RuncCommit, ...info } = await object(`/v1.${minor}/info`)
      assert.ok(isJsonObject(RegistryConfig) && isJsonObject(RuncCommit))
      return [...Object.keys(info), ...Object.keys(RegistryConfig), ...Object.keys(RuncCommit)]
    }
    const cases = [
      ['AllowNondistributableArtifactsCIDRs', [46]],
      ['Expected', [46, 48]],
      ['BridgeNfIptables', [46, 48, 49]],
      ['FirewallBackend', [49, 50]],
    ] as const
    const minors = [46, 48, 49, 50]
    const names = await Promise.all(minors.map(namesAt))
    for (const [name, having] of cases) {
      const found = minors.filter((_, position) => names[position]?.includes(name))
      assert.deepEqual(found, having, name)
    }
  })

  it('have one id of the engine, which stays', async () => {
    const [{ ID: one }, { ID: other }] = [await object('/v1.24/info'), await object('/info')]
    assert.match(String(one), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(other, one)
  })

  it('list networks with their containers until 1.27', async () => {
    const first = async (minor: number): Promise<Json> =>
      JSON.parse((await get(`/v1.${minor}/networks`)).body)[0]
    assert.deepEqual(((await first(27)) as JsonObject).Containers, {})
    assert.ok(!('Containers' in ((await first(28)) as JsonObject)))
  })

  it('sum up what is used since 1.52, and say only that where details are asked for', async () => {
    const former = ['BuildCache', 'Containers', 'Images', 'LayersSize', 'Volumes']
    const since = ['BuildCacheUsage', 'ContainerUsage', 'ImageUsage', 'VolumeUsage']
    const names = async (path: string): Promise<readonly string[]> =>
      Object.keys(await object(path)).sort()
    assert.deepEqual(await names('/v1.51/system/df'), former)
    assert.deepEqual(await names('/v1.52/system/df'), [...former, ...since].sort())
    assert.deepEqual(await names('/v1.52/system/df?verbose=1'), since)
    const { VolumeUsage, ImageUsage } = await object('/v1.52/system/df')
    assert.deepEqual(ImageUsage, {})
    assert.ok(isJsonObject(VolumeUsage) && Array.isArray(VolumeUsage.Items))
    // What is zero is left out.
    const { Items, ...counts } = VolumeUsage
    assert.deepEqual([Items.length, counts], [1, { TotalCount: 1 }])
  })
})
