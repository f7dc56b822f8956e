import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { inspect } from 'node:util'
import { type Bytes, collect } from '#core'
import {
  createTransport,
  DEFAULT_TIMEOUTS,
  type Destination,
  destinationOf,
  type HttpRequest,
  networkFailure,
  type Timeouts,
  type Transport,
} from '#http'
import { startWebServer, type WebServer } from '../support/servers/index.ts'

describe('transport', () => {
  let server: WebServer
  let transport: Transport
  let answer: RequestListener

  beforeEach(async () => {
    server = await startWebServer((request, response) => answer(request, response))
    transport = open()
    answer = (_request, response) => void response.end('text')
  })
  afterEach(async () => {
    await transport.close()
    await server[Symbol.asyncDispose]()
  })

  function open(timeouts: Partial<Timeouts> = {}): Transport {
    const options = { timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts }, maxConnectionsPerHost: 2 }
    return createTransport(options)
  }

  function get(path = '/', options: Partial<HttpRequest> = {}): HttpRequest {
    return { method: 'GET', url: new URL(path, server.origin), headers: {}, ...options }
  }

  it('reads a document, and joins repeated headers', async () => {
    answer = (_request, response) => {
      response.writeHead(404, { 'x-twice': ['a', 'b'] }).end('not here')
    }
    const { status, headers, body, url, stream } = await transport.send(get('/a?b=c'), 'named')
    assert.deepEqual([status, headers['x-twice'], `${body}`], [404, 'a, b', 'not here'])
    assert.deepEqual([url.pathname, stream], ['/a', undefined])
    assert.equal(server.seen[0]?.url, '/a?b=c')
  })

  it('refuses a document that is too large, and reads no more of an error than fits', async () => {
    const large = Buffer.alloc(1024 * 1024 + 1)
    answer = ({ url }, response) => {
      response.writeHead(url === '/bad' ? 500 : 200).end(large)
    }
    await assert.rejects(transport.send(get('/', { limit: 3 }), 'named'), {
      code: 'ANSWER_TOO_LARGE',
      message: 'the answer has more than 3 bytes',
    })
    await assert.rejects(transport.send(get(), 'named'), { code: 'ANSWER_TOO_LARGE' })
    const { status, body } = await transport.send(get('/bad'), 'named')
    assert.deepEqual([status, body.length], [500, 0])
  })

  it('hands a good answer out as a stream', async () => {
    const { stream } = await transport.send(get('/', { answer: 'stream' }), 'named')
    assert.equal(`${await collect(stream?.bytes ?? none(), 10)}`, 'text')
    const discarded = await transport.send(get('/', { answer: 'stream' }), 'named')
    discarded.stream?.discard()
    answer = (_request, response) => void response.writeHead(500).end('failed')
    const bad = await transport.send(get('/', { answer: 'stream' }), 'named')
    assert.deepEqual([bad.stream, `${bad.body}`], [undefined, 'failed'])
  })

  it('sends documents and streams, with a length where it is known', async () => {
    let received = ''
    answer = async (request, response) => {
      received = Buffer.concat(await request.toArray()).toString()
      response.end()
    }
    const bytes = async function* (): Bytes {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    }
    const bodies: readonly (readonly [HttpRequest['body'], string | undefined])[] = [
      [{ kind: 'document', bytes: Buffer.from('one two') }, '7'],
      [{ kind: 'stream', open: bytes, size: 7 }, '7'],
      [{ kind: 'stream', open: bytes }, undefined],
    ]
    for (const [body, length] of bodies) {
      await transport.send(get('/', { method: 'PUT', body }), 'named')
      assert.equal(received, 'one two')
      assert.equal(server.seen.at(-1)?.headers['content-length'], length)
    }
  })

  it('passes on what opening or reading a stream throws', async () => {
    const failure = new Error('source')
    const source = async function* (): Bytes {
      yield Buffer.from('x')
      throw failure
    }
    for (const open of [source, () => Promise.reject(failure)]) {
      const body = { kind: 'stream', open } as const
      const sending = transport.send(get('/', { method: 'PUT', body }), 'named')
      await assert.rejects(sending, (error) => error === failure)
    }
  })

  it('ends when it is cancelled, before, while waiting and while reading', async () => {
    answer = ({ url }, response) => {
      if (url === '/body') response.writeHead(200, { 'content-length': '10' }).write('x')
    }
    const reason = new Error('enough')
    const aborted = AbortSignal.abort(reason)
    await assert.rejects(transport.send(get('/', { signal: aborted }), 'named'), reason)
    assert.equal(server.seen.length, 0)
    for (const path of ['/', '/body']) {
      const controller = new AbortController()
      const sending = transport.send(get(path, { signal: controller.signal }), 'named')
      setTimeout(() => controller.abort(reason), 20)
      await assert.rejects(sending)
    }
  })

  it('has a code and a kind for each failure', async () => {
    await transport.close()
    transport = open({ headers: 100, idle: 100, stored: 100 })
    answer = ({ url }, response) => {
      if (url === '/silent') return
      if (url === '/reset') return void response.socket?.resetAndDestroy()
      if (url === '/closed') return void response.socket?.destroy()
      response.writeHead(200, { 'content-length': '10' }).write('x')
      if (url === '/cut') setImmediate(() => response.socket?.destroy())
    }
    const failures: Readonly<Record<string, readonly [RegExp, string]>> = {
      '/silent': [/^HEADERS_TIMEOUT$/, 'stalled'],
      '/reset': [/^(?:ECONNRESET|CONNECTION_CLOSED)$/, 'broken'],
      '/closed': [/^CONNECTION_CLOSED$/, 'broken'],
      '/stalled': [/^BODY_TIMEOUT$/, 'stalled'],
      '/cut': [/^CONNECTION_CLOSED$/, 'broken'],
      'http://127.0.0.1:1/': [/^ECONNREFUSED$/, 'refused'],
      'http://nowhere.invalid/': [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'unknown-host'],
    }
    for (const [path, [code, kind]] of Object.entries(failures)) {
      await assert.rejects(transport.send(get(path), 'named'), (error) => {
        const failure = networkFailure(error)
        assert.match(failure.code ?? '', code, path)
        assert.equal(failure.kind, kind, path)
        return true
      })
    }
  })

  it('keeps what is not HTTP out of its error', async () => {
    const smtp = createServer((socket) => socket.end('220 smtp open-sesame\r\n'))
    smtp.listen(0, '127.0.0.1')
    await once(smtp, 'listening')
    const { port } = smtp.address() as AddressInfo
    try {
      await assert.rejects(transport.send(get(`http://127.0.0.1:${port}/`), 'named'), (error) => {
        assert.equal(networkFailure(error).code, 'NOT_HTTP')
        assert.equal(inspect(error, { depth: 9, showHidden: true }).includes('sesame'), false)
        return true
      })
    } finally {
      smtp.close()
    }
  })

  it('ends a connection that hardly sends anything', async () => {
    await transport.close()
    transport = open({ slow: 100 })
    answer = (_request, response) => {
      const timer = setInterval(() => response.write('x'), 10)
      response.once('close', () => clearInterval(timer))
    }
    const { stream } = await transport.send(get('/', { answer: 'stream' }), 'named')
    await assert.rejects(collect(stream?.bytes ?? none(), 1000), { code: 'TOO_SLOW' })
    await assert.rejects(transport.send(get('/'), 'named'), { code: 'TOO_SLOW' })
  })

  it('does not reach this machine by a name that an answer gives', async () => {
    const local = `http://localhost:${server.port}/`
    await assert.rejects(transport.send(get(local), 'redirected'), {
      code: 'ADDRESS_NOT_ALLOWED',
    })
    assert.equal(server.seen.length, 0)
    for (const destination of ['named', 'redirected-from-loopback'] as const) {
      assert.equal((await transport.send(get(local), destination)).status, 200)
    }
  })

  it('sends nothing once it is closed', async () => {
    await transport.close()
    await assert.rejects(transport.send(get(), 'named'), /closed/)
    const unused = open()
    await unused.close()
    await assert.rejects(unused.send(get(), 'named'), /closed/)
    assert.equal(server.seen.length, 0)
  })
})

describe('destinations', () => {
  const expected: readonly (readonly [string, string, Destination])[] = [
    ['https://h:5000/x', 'https://h:5000', 'named'],
    ['http://h:5000/x', 'https://h:5000', 'named'],
    ['https://h:5001/x', 'https://h:5000', 'redirected'],
    ['https://storage/x', 'https://h', 'redirected'],
    ['http://127.0.0.1:2/x', 'http://127.0.0.1:1', 'redirected-from-loopback'],
    ['http://storage/x', 'http://localhost', 'redirected-from-loopback'],
  ]
  for (const [to, named, destination] of expected) {
    it(`${to} is ${destination} from ${named}`, () => {
      assert.equal(destinationOf(new URL(to), new URL(named)), destination)
    })
  }
})

async function* none(): Bytes {}
