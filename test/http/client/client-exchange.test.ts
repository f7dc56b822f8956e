import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { type Bytes, collect } from '#core'
import {
  createTransport,
  DEFAULT_TIMEOUTS,
  type HttpRequest,
  type HttpResponse,
  type Timeouts,
  type Transport,
} from '#http'
import { type RawServer, startRawServer } from '../../support/servers/index.ts'

const CHUNK = Buffer.alloc(64 * 1024, 'x')
/** More than the buffers of two sockets on the loopback hold. */
const MANY = 400
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n'

describe('an exchange', () => {
  let server: RawServer
  let transport: Transport
  /** What the server has received: the beginning, and the size of all. */
  let received: { text: string; size: number }
  let onData: (socket: Socket) => void
  const opened: AsyncDisposable[] = []

  beforeEach(async () => {
    received = { text: '', size: 0 }
    server = await startRawServer((socket) => {
      socket.on('data', (chunk) => {
        if (received.size <= CHUNK.length) received.text += chunk
        received.size += chunk.length
        onData(socket)
      })
    })
    transport = open()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  function open(timeouts: Partial<Timeouts> = {}): Transport {
    const options = { timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts }, maxConnectionsPerHost: 1 }
    const created = createTransport(options)
    opened.push({ [Symbol.asyncDispose]: () => created.close() })
    return created
  }

  function send(options: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const request: HttpRequest = { method: 'GET', url: new URL(server.origin), headers: {} }
    return transport.send({ ...request, ...options }, 'named')
  }

  /** Answers with bytes as soon as a request comes. */
  function answer(text: string, encoding: BufferEncoding = 'utf8'): void {
    onData = (socket) => void socket.write(Buffer.from(text, encoding))
  }

  async function untilClosed(): Promise<void> {
    // A socket that is not read does not notice.
    onData = () => undefined
    for (const socket of server.connections) socket.resume()
    while (server.open() > 0) await setTimeout(5)
  }

  describe('head of an answer', () => {
    it('has its names in lower case and its values in UTF-8', async () => {
      answer(
        'HTTP/1.1 302 Found\r\nLocation: /übér\r\nX-A: 1\r\nx-a: 2\r\n__proto__: x\r\ncontent-length: 0\r\n\r\n',
      )
      const { status, headers } = await send()
      assert.deepEqual([status, headers.location, headers['x-a']], [302, '/übér', '1, 2'])
      assert.ok(Object.hasOwn(headers, '__proto__'))
    })

    it('comes after any number of informational ones', async () => {
      const informational =
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'
      answer(`${informational}${informational}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`)
      const { status, headers, body } = await send()
      assert.deepEqual([status, headers.link, `${body}`], [200, undefined, 'ok'])
    })

    it('may have 16 KiB', async () => {
      answer(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(15_000)}\r\ncontent-length: 0\r\n\r\n`)
      assert.equal((await send()).headers.x?.length, 15_000)
      answer(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(17_000)}\r\ncontent-length: 0\r\n\r\n`)
      const failure = { code: 'NOT_HTTP', message: 'the head of the answer is too large' }
      await assert.rejects(send(), failure)
      await untilClosed()
    })

    it('of another protocol, which was not asked for, is an error', async () => {
      answer('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
      await assert.rejects(send(), { code: 'CONNECTION_CLOSED' })
      await untilClosed()
    })
  })

  describe('body of an answer', () => {
    for (const [what, method, head] of [
      ['to a HEAD', 'HEAD', '200 OK\r\ncontent-length: 10'],
      ['of 204', 'GET', '204 No Content'],
      ['of 304', 'GET', '304 Not Modified\r\ncontent-length: 10'],
    ] as const) {
      it(`${what} is empty, and the connection is kept`, async () => {
        answer(`HTTP/1.1 ${head}\r\n\r\n`)
        assert.deepEqual((await send({ method })).body, Buffer.alloc(0))
        assert.deepEqual((await send({ method })).body, Buffer.alloc(0))
        assert.equal(server.connections.length, 1)
      })
    }

    it('is handed out as it comes, whatever its encoding', async () => {
      answer('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\ngzip')
      assert.equal(`${(await send()).body}`, 'gzip')
    })

    it('ends with the connection, when nothing says where it ends', async () => {
      onData = (socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\nall')
      assert.equal(`${(await send()).body}`, 'all')
    })

    for (const [what, rest, code] of [
      ['with fewer bytes than its length', 'content-length: 9\r\n\r\nab', 'CONNECTION_CLOSED'],
      ['without its last chunk', `${CHUNKED}2\r\nab\r\n`, 'CONNECTION_CLOSED'],
      ['with a bad chunk', `${CHUNKED}xyz\r\n`, 'NOT_HTTP'],
    ] as const) {
      it(`${what} is an error`, async () => {
        onData = (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${rest}`)
        await assert.rejects(send(), { code })
      })
    }

    it('may be read slowly: only waiting for the network is limited', async () => {
      transport = open({ idle: 1000 })
      onData = (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${MANY * CHUNK.length}\r\n\r\n`)
        for (let count = 0; count < MANY; count++) socket.write(CHUNK)
      }
      const { stream } = await send({ answer: 'stream' })
      let size = 0
      for await (const chunk of stream?.bytes ?? []) {
        if (size === 0) await setTimeout(1500)
        size += chunk.length
      }
      assert.equal(size, MANY * CHUNK.length)
    })
  })

  describe('body of a request', () => {
    it('is read only as fast as the server takes it', async () => {
      let read = 0
      onData = (socket) => void socket.pause()
      const source = async function* (): Bytes {
        for (; read < MANY; read++) yield CHUNK
      }
      const size = MANY * CHUNK.length
      const sending = send({ method: 'PUT', body: { kind: 'stream', open: source, size } })
      let before = -1
      while (read === 0 || before !== read) {
        before = read
        await setTimeout(100)
      }
      assert.ok(read > 0 && read < MANY, `${read} of ${MANY} chunks were read`)
      onData = (socket) => {
        if (read < MANY || received.size < size) return
        socket.write('HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n')
      }
      for (const socket of server.connections) socket.resume()
      assert.equal((await sending).status, 201)
      assert.equal(received.size - received.text.indexOf('\r\n\r\n') - 4, size)
    })

    it('has its head sent before its source has bytes, and the source may take its time', async () => {
      transport = open({ stored: 100, headers: 100, idle: 100 })
      onData = (socket) => {
        if (!received.text.endsWith('\r\n0\r\n\r\n')) return
        socket.write('HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n')
      }
      const source = async function* (): Bytes {
        await setTimeout(300)
        assert.match(received.text, /^PATCH \/ HTTP.*transfer-encoding: chunked/is)
        assert.doesNotMatch(received.text, /^expect:/im)
        yield Buffer.from('text')
      }
      const body = { kind: 'stream', open: source } as const
      assert.equal((await send({ method: 'PATCH', body })).status, 201)
    })

    it('that is not taken is a time-out', async () => {
      transport = open({ stored: 100 })
      onData = (socket) => void socket.pause()
      const body = { kind: 'stream', open: endless } as const
      await assert.rejects(send({ method: 'PUT', body }), { code: 'HEADERS_TIMEOUT' })
      await untilClosed()
    })

    it('is empty, with a length, for a POST and a PUT without one', async () => {
      answer('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      for (const method of ['POST', 'PUT'] as const) {
        await send({ method })
        assert.match(
          received.text,
          new RegExp(`${method} / HTTP/1\\.1\r\n[^]*content-length: 0`, 'i'),
        )
      }
      await send({ method: 'DELETE' })
      assert.equal(server.connections.length, 1)
    })

    for (const [what, size] of [
      ['more', 10],
      ['fewer', 2 * CHUNK.length],
    ] as const) {
      it(`with ${what} bytes than its size is an error, and not sent to its end`, async () => {
        onData = () => undefined
        const source = async function* (): Bytes {
          yield CHUNK
        }
        const body = { kind: 'stream', open: source, size } as const
        await assert.rejects(
          send({ method: 'PUT', body }),
          new RegExp(`${what} bytes than its size`),
        )
        await untilClosed()
        assert.ok(received.size < CHUNK.length + 1000)
      })
    }
  })

  describe('early answer', () => {
    for (const status of [401, 413, 201]) {
      it(`of ${status} ends the request, its source and the connection`, async () => {
        const source = watched(endless)
        const text = `HTTP/1.1 ${status} X\r\ncontent-length: 4\r\n\r\ntext`
        answer(text)
        const { body, ...head } = await send({ method: 'PUT', body: source.body })
        assert.deepEqual([head.status, `${body}`], [status, 'text'])
        await source.ended
        await untilClosed()
        answer(text)
        assert.equal((await send({ method: 'GET' })).status, status)
      })
    }

    it('counts when the server closes the connection after it', async () => {
      const source = watched(endless)
      onData = (socket) => {
        socket.pause()
        socket.end('HTTP/1.1 413 X\r\nconnection: close\r\ncontent-length: 4\r\n\r\ntext')
        socket.once('finish', () => socket.destroy())
      }
      const { status, body } = await send({ method: 'PUT', body: source.body })
      assert.deepEqual([status, `${body}`], [413, 'text'])
      await source.ended
    })

    it('counts when its body breaks off', async () => {
      onData = (socket) => {
        socket.pause()
        socket.write('HTTP/1.1 413 X\r\ncontent-length: 4\r\n\r\nte')
        globalThis.setTimeout(() => socket.resetAndDestroy(), 50)
      }
      const { status, body } = await send({ method: 'PUT', body: watched(endless).body })
      assert.deepEqual([status, body.length], [413, 0])
    })
  })

  describe('that is cancelled', () => {
    const reason = new Error('enough')

    async function cancel(
      options: Partial<HttpRequest>,
      until: () => boolean | Promise<boolean>,
    ): Promise<void> {
      const controller = new AbortController()
      const { signal } = controller
      const sending = send({ ...options, signal }).then(async ({ stream }) =>
        stream === undefined ? undefined : collect(stream.bytes, 1e9),
      )
      const outcome = assert.rejects(sending, (error) => error === reason)
      while (!(await until())) await setTimeout(5)
      controller.abort(reason)
      await outcome
      await untilClosed()
      await setImmediate()
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    }

    it('while it connects', async () => {
      onData = () => undefined
      const { port } = new URL(server.origin)
      // A TLS handshake that is never answered.
      const url = new URL(`https://127.0.0.1:${port}`)
      await cancel({ url }, () => received.size > 0)
    })

    it('before it connects', async () => {
      await cancel({}, () => true)
    })

    it('while its source has nothing', async () => {
      onData = () => undefined
      const source = watched(async function* () {
        yield CHUNK
        await setTimeout(200)
        yield CHUNK
      })
      await cancel({ method: 'PUT', body: source.body }, () => received.size > CHUNK.length)
      await source.ended
    })

    it('while the server takes nothing', async () => {
      onData = (socket) => void socket.pause()
      const source = watched(endless)
      await cancel({ method: 'PUT', body: source.body }, () => received.size > 0)
      await source.ended
    })

    it('while it waits for an answer', async () => {
      onData = () => undefined
      await cancel({}, () => received.size > 0)
    })

    for (const kind of ['document', 'stream'] as const) {
      it(`while it reads a ${kind}`, async () => {
        answer('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')
        const isUnderWay = async (): Promise<boolean> => {
          if (received.size === 0) return false
          await setTimeout(20)
          return true
        }
        await cancel({ answer: kind }, isUnderWay)
      })
    }

    it('after its end makes no difference, and keeps the connection', async () => {
      answer('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      const controller = new AbortController()
      const { signal } = controller
      for (let count = 0; count < 20; count++) await send({ signal })
      await setImmediate()
      assert.equal(getEventListeners(signal, 'abort').length, 0)
      controller.abort(reason)
      assert.equal(`${(await send()).body}`, 'ok')
      assert.equal(server.connections.length, 1)
    })

    it('never leaves its answer complete when it was cut short', async () => {
      answer('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      const controller = new AbortController()
      const { stream } = await send({ answer: 'stream', signal: controller.signal })
      await setTimeout(20)
      controller.abort(reason)
      await assert.rejects(collect(stream?.bytes ?? endless(), 10), (error) => error === reason)
    })
  })

  it('has a time-out for a handshake that does not end', async () => {
    onData = () => undefined
    transport = open({ connect: 100 })
    const url = new URL(server.origin.replace('http:', 'https:'))
    await assert.rejects(send({ url }), { code: 'CONNECT_TIMEOUT' })
    await untilClosed()
  })

  it('fails at once when a header cannot be sent, and frees its place', async () => {
    answer('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    await assert.rejects(send({ headers: { x: 'a\r\nb: c' } }), { code: 'ERR_INVALID_CHAR' })
    assert.equal((await send()).status, 200)
  })
})

async function* endless(): Bytes {
  for (;;) {
    await setImmediate()
    yield CHUNK
  }
}

/** A body, and when its source was left. */
function watched(open: () => Bytes) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const source = async function* (): Bytes {
    try {
      yield* open()
    } finally {
      resolve()
    }
  }
  return { body: { kind: 'stream', open: source } as const, ended: promise }
}
