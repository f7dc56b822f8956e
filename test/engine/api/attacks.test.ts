import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, lstatSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { serveEngine } from '#engine'
import { parseListenAddresses } from '#engine/daemon'
import { temporaryDirectory, until } from '../../support/peers/index.ts'
import { ask } from '../support/socket-http.ts'
import {
  NO_BUILDKIT,
  open,
  type ServedEngine,
  sendRaw,
  serveHere,
} from './support/served-engine.ts'

describe('requests to an engine', function () {
  this.timeout(60_000)
  let engine: ServedEngine

  before(async () => {
    engine = await serveHere()
  })
  after(() => engine[Symbol.asyncDispose]())

  async function assertAlive(): Promise<void> {
    const { status, body } = await ask(engine.socket, 'GET', '/_ping')
    assert.deepEqual({ status, body }, { status: 200, body: 'OK' })
  }

  describe('with paths that lead elsewhere (T-J5)', () => {
    const paths = [
      ...['/v1.41/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd'],
      ...['//', '/v1.41//containers//json', '/containers/%00/json', '/containers/..%2f..%2f/json'],
      ...['/v9.99/info', '/v1.99999/info', `/containers/${'a'.repeat(20_000)}/json`],
      ...['/containers/__proto__/json', '/exec/constructor/json', '/v1.41', '/containers/%zz/json'],
    ]
    for (const path of paths) {
      it(`find nothing: ${path.slice(0, 60)}`, async () => {
        const { status, body } = await ask(engine.socket, 'GET', path)
        assert.ok([400, 404, 414].includes(status), `${status}: ${body.slice(0, 200)}`)
        assert.doesNotMatch(body, /root:/)
        assert.equal(typeof JSON.parse(body).message, 'string')
      })
    }

    it('find what is there, with and without a version', async () => {
      for (const path of ['/info', '/v1.24/info', '/v1.56/info', '/v1.41/networks/'.slice(0, 6)]) {
        const { status } = await ask(engine.socket, 'GET', path === '/v1.41' ? '/version' : path)
        assert.equal(status, 200, path)
      }
    })

    it('of endless length are refused', async () => {
      const head = `GET /_ping?${'x'.repeat(512 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`
      assert.match(await sendRaw(engine.socket, head), /^HTTP\/1\.1 431/)
      await assertAlive()
    })
  })

  describe('with bodies that lie (T-J3)', () => {
    const create = 'POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'

    it('with two lengths are refused', async () => {
      const smuggled = `${create}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /info HTTP/1.1\r\n\r\n`
      const answer = await sendRaw(engine.socket, smuggled)
      assert.match(answer, /^HTTP\/1\.1 400/)
      assert.doesNotMatch(answer, /ServerVersion/)
    })

    it('that are too large are refused, announced or not', async () => {
      const size = 4 * 1024 * 1024 + 1
      const body = `{"Image":"${'x'.repeat(size)}"}`
      const announced = await ask(engine.socket, 'POST', '/containers/create', body)
      assert.equal(announced.status, 400)
      assert.match(announced.body, /request body too large/)
      const chunk = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`
      const chunked = `${create}Transfer-Encoding: chunked\r\n\r\n${chunk}`
      assert.match(await sendRaw(engine.socket, chunked), /^HTTP\/1\.1 400.*too large/s)
      await assertAlive()
    })

    for (const body of ['', '{', 'null', '[]', '{"Image":', '{"Image":1}', '{"image":"x"}']) {
      it(`that are no documents are refused: ${JSON.stringify(body)}`, async () => {
        assert.equal((await ask(engine.socket, 'POST', '/containers/create', body)).status, 400)
      })
    }

    it('that name prototypes change nothing', async () => {
      const body = '{"__proto__":{"Image":"x"},"Labels":{"__proto__":"y"}}'
      assert.equal((await ask(engine.socket, 'POST', '/containers/create', body)).status, 400)
      assert.equal(({} as { Image?: string }).Image, undefined)
    })

    it('that are documents reach the engine', async () => {
      const body = '{"Image":"nobody/has-this:1"}'
      const { status, body: answer } = await ask(engine.socket, 'POST', '/containers/create', body)
      assert.equal(status, 404)
      assert.match(answer, /No such image: nobody\/has-this:1/)
    })
  })

  it('that upgrade and go leave nothing (T-J6)', async () => {
    await assertAlive()
    const descriptors = (): number => readdirSync('/proc/self/fd').length
    const before = descriptors()
    const head =
      'POST /containers/none/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n'
    for (let round = 0; round < 100; round++) {
      const connection = await open(engine.socket)
      connection.write(head)
      if (round % 2 === 0) await once(connection, 'data')
      connection.destroy()
    }
    await until(() => descriptors() <= before + 5)
    await assertAlive()
  })

  it('that come a byte at a time do not keep others waiting (T-J7)', async () => {
    const slow: Socket[] = []
    for (let count = 0; count < 500; count++) slow.push(await open(engine.socket))
    for (const connection of slow) connection.write('G')
    const begin = performance.now()
    for (let round = 0; round < 20; round++) await assertAlive()
    assert.ok(performance.now() - begin < 5000)
    for (const connection of slow) connection.destroy()
  })

  it('that never come whole end with the engine', async () => {
    const own = await serveHere()
    const [silent, begun] = [await open(own.socket), await open(own.socket)]
    begun.write('GET /_ping HTTP/1.1\r\n')
    const closed = [silent, begun].map(
      (connection) =>
        new Promise((resolve) => connection.resume().on('end', resolve).on('close', resolve)),
    )
    await own[Symbol.asyncDispose]()
    await Promise.all(closed)
  })
})

describe('the socket of an engine (T-J10)', () => {
  const serve = async (path: string): Promise<void> => {
    using place = temporaryDirectory('engine')
    await serveEngine({
      openBuildkit: NO_BUILDKIT,
      ...{ root: place.file('store'), version: 'test', group: undefined, tls: undefined },
      ...{ idleTimeout: 20, signal: new AbortController().signal, onWarning: () => undefined },
      addresses: parseListenAddresses(`unix://${path}`, {}),
    })
  }

  it('is its user’s only, from the moment that it is there', async () => {
    await using engine = await serveHere()
    assert.equal(lstatSync(engine.socket).mode & 0o777, 0o600)
  })

  it('takes the place of one that nobody listens on, and of nothing else', async () => {
    using place = temporaryDirectory('sockets')
    const [stale, file, link] = [place.file('stale'), place.file('file'), place.file('link')]
    const server = createServer().listen(stale)
    await once(server, 'listening')
    await assert.rejects(serve(stale), { code: 'CONFLICT' })
    server.close()
    writeFileSync(file, 'kept')
    symlinkSync('file', link)
    for (const path of [file, link]) await assert.rejects(serve(path), { code: 'CONFLICT' })
    chmodSync(file, 0o600)
    await serve(stale)
    assert.deepEqual(readdirSync(place.path).sort(), ['file', 'link'])
  })

  it('on a port is refused without certificates', async () => {
    using place = temporaryDirectory('engine')
    const refused = serveEngine({
      openBuildkit: NO_BUILDKIT,
      ...{ root: place.file('store'), version: 'test', group: undefined, tls: undefined },
      ...{ idleTimeout: 20, signal: new AbortController().signal, onWarning: () => undefined },
      addresses: parseListenAddresses('tcp://127.0.0.1:0', {}),
    })
    await assert.rejects(refused, { code: 'USAGE' })
  })
})
