import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { collect } from '#core'
import { createTransport, DEFAULT_TIMEOUTS, type HttpRequest, type Transport } from '#http'
import { type RawServer, startRawServer } from '../../support/servers/index.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('connections', () => {
  let server: RawServer
  let transport: Transport
  /** What is done with each request, counted for each connection and from 1. */
  let answer: (socket: RawServer['connections'][number], count: number) => void

  beforeEach(async () => {
    answer = (socket) => void socket.write(OK)
    transport = createTransport({ timeouts: DEFAULT_TIMEOUTS, maxConnectionsPerHost: 2 })
    server = await startRawServer((socket) => {
      let count = 0
      socket.on('data', () => answer(socket, ++count))
    })
  })
  afterEach(async () => {
    await transport.close()
    await server[Symbol.asyncDispose]()
  })

  function get(options: Partial<HttpRequest> = {}): HttpRequest {
    return { method: 'GET', url: new URL(server.origin), headers: {}, ...options }
  }

  async function send(options: Partial<HttpRequest> = {}): Promise<string> {
    return `${(await transport.send(get(options), 'named')).body}`
  }

  it('are kept, and as many as is allowed serve any number of requests', async () => {
    const bodies = await Promise.all(Array.from({ length: 64 }, () => send()))
    assert.deepEqual([...new Set(bodies)], ['ok'])
    assert.equal(server.connections.length, 2)
    await send()
    assert.equal(server.connections.length, 2)
  })

  it('are not shared by destinations', async () => {
    await send()
    await transport.send(get(), 'redirected-from-loopback')
    await transport.send(get(), 'named-insecure')
    assert.equal(server.connections.length, 3)
  })

  it('are closed by an answer that says so, and by one whose body is not read', async () => {
    answer = (socket) => void socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok')
    assert.deepEqual([await send(), await send()], ['ok', 'ok'])
    answer = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok')
    for (let count = 0; count < 3; count++) {
      const { stream } = await transport.send(get({ answer: 'stream' }), 'named')
      stream?.discard()
    }
    answer = (socket) => void socket.write(OK)
    assert.equal(await send(), 'ok')
    assert.equal(server.connections.length, 6)
  })

  it('are given in turn, and a cancelled request leaves the queue at once', async () => {
    const held: (() => void)[] = []
    answer = (socket) => void held.push(() => socket.write(OK))
    const controller = new AbortController()
    const done: string[] = []
    const start = (name: string, signal?: AbortSignal): Promise<unknown> =>
      send({ signal }).then(
        () => done.push(name),
        () => done.push(`${name} cancelled`),
      )
    const all = ['1', '2', '3', '4', '5'].map((name) =>
      start(name, name === '3' ? controller.signal : undefined),
    )
    while (held.length < 2) await setTimeout(5)
    controller.abort()
    await all[2]
    assert.deepEqual(done, ['3 cancelled'])
    while (done.length < 5) {
      held.shift()?.()
      await setTimeout(5)
    }
    assert.deepEqual(done, ['3 cancelled', '1', '2', '4', '5'])
    assert.equal(server.connections.length, 2)
  })

  describe('that the server has closed', () => {
    /** Connections so far, after requests that each leave one behind that ends with the next one. */
    async function leaveBehind(count: number): Promise<void> {
      answer = (socket, request) => {
        if (request > 1) socket.destroy()
        else globalThis.setTimeout(() => socket.write(OK), 20)
      }
      await Promise.all(Array.from({ length: count }, () => send()))
      assert.equal(server.connections.length, count)
    }
    const document = { kind: 'document', bytes: Buffer.from('x') } as const
    const stream = {
      kind: 'stream',
      open: async function* () {
        yield Buffer.from('x')
      },
    } as const

    for (const [what, request] of [
      ['a GET', {}],
      ['a HEAD', { method: 'HEAD' }],
      ['a DELETE', { method: 'DELETE' }],
      ['a PUT of a document', { method: 'PUT', body: document }],
    ] as const) {
      it(`are replaced by a new one for ${what}`, async () => {
        await leaveBehind(2)
        await transport.send(get(request), 'named')
        assert.equal(server.connections.length, 3)
      })
    }

    for (const [what, request] of [
      ['a POST', { method: 'POST', body: document }],
      ['a stream', { method: 'PUT', body: stream }],
    ] as const) {
      it(`are an error for ${what}, which may have been received`, async () => {
        await leaveBehind(1)
        await assert.rejects(send(request), { code: /^(?:CONNECTION_CLOSED|ECONNRESET|EPIPE)$/ })
        assert.equal(server.connections.length, 1)
      })
    }

    it('are replaced once, and never when the new one fails', async () => {
      await leaveBehind(1)
      answer = (socket) => socket.destroy()
      await assert.rejects(send(), { code: 'CONNECTION_CLOSED' })
      assert.equal(server.connections.length, 2)
      await assert.rejects(send(), { code: 'CONNECTION_CLOSED' })
      assert.equal(server.connections.length, 3)
    })

    it('are not replaced for a cancelled request', async () => {
      await leaveBehind(1)
      const controller = new AbortController()
      const reason = Object.assign(new Error('another failed'), { code: 'ECONNRESET' })
      answer = () => controller.abort(reason)
      await assert.rejects(send({ signal: controller.signal }), (error) => error === reason)
      assert.equal(server.connections.length, 1)
    })
  })

  it('are not used beyond the time that the server announces', async () => {
    const hint = 'keep-alive: timeout=1\r\n'
    answer = (socket) => void socket.write(OK.replace('\r\n\r\n', `\r\n${hint}\r\n`))
    await send()
    await setTimeout(1100)
    await send()
    assert.equal(server.connections.length, 2)
  })

  it('do not take bytes that came unasked for the next answer', async () => {
    await send()
    server.connections[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged')
    await setTimeout(50)
    assert.equal(await send(), 'ok')
    answer = (socket) => void socket.write(`${OK}${OK.replace('ok', 'no')}`)
    assert.equal(await send(), 'ok')
    answer = (socket) => void socket.write(OK)
    assert.equal(await send(), 'ok')
  })

  it('end all when the transport is closed, whatever they are doing', async () => {
    answer = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok')
    const { stream } = await transport.send(get({ answer: 'stream' }), 'named')
    assert.ok(stream !== undefined)
    const reading = collect(stream.bytes, 9)
    answer = () => undefined
    const waiting = send()
    const queued = send()
    const ended = Promise.allSettled([reading, waiting, queued])
    while (server.connections.length < 2) await setTimeout(5)
    await transport.close()
    for (const outcome of await ended) {
      assert.equal(outcome.status, 'rejected')
      assert.match(String(outcome.reason), /the connections are closed/)
    }
    for (const socket of server.connections) if (!socket.closed) await once(socket, 'close')
    assert.equal(server.connections.length, 2)
  })
})
