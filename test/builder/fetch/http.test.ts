import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Fetcher, type HttpFile, parseHttpSource, withChecksum } from '#builder/fetch'
import { openStore, type Store } from '#cache'
import type { Timing } from '#http'
import type { HttpOptions } from '../../../builder/fetch/http-file.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { startWebServer, type WebServer } from '../../support/servers/index.ts'

/** Waiting takes no time. */
const TIMING: Timing = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async () => undefined,
  random: () => 0,
}
const DATE = 'Tue, 15 Sep 2020 12:00:00 GMT'

describe('downloading a file', () => {
  let directory: TemporaryDirectory
  let store: Store
  let fetcher: Fetcher
  let server: WebServer
  let answer: (request: IncomingMessage, response: ServerResponse) => void

  beforeEach(async () => {
    directory = temporaryDirectory('fetch')
    store = openStore(directory.file('store'))
    fetcher = new Fetcher({ store, environment: {}, timing: TIMING })
    server = await startWebServer((request, response) => answer(request, response))
  })

  afterEach(async () => {
    await fetcher[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  /** Serves one text as every file. */
  const serve = (text: string, headers: Readonly<Record<string, string>> = {}): void => {
    answer = ({ headers: requested }, response) => {
      const known = requested['if-none-match'] ?? ''
      const isKnown = headers.etag !== undefined && known.includes(headers.etag)
      const isDated = requested['if-modified-since'] === headers['last-modified'] && known === ''
      const isSame = isKnown || (isDated && headers['last-modified'] !== undefined)
      response.writeHead(isSame ? 304 : 200, headers)
      response.end(isSame ? undefined : text)
    }
  }

  const fetchFile = (path: string, options: HttpOptions & { checksum?: string } = {}) => {
    const source = parseHttpSource(path.startsWith('http') ? path : `${server.origin}${path}`)
    assert.ok(source)
    const { checksum } = options
    const wanted = checksum === undefined ? source : withChecksum(source, checksum)
    return fetcher.fetchHttp(wanted, options)
  }

  const read = ({ directory: folder, name }: HttpFile): string => {
    assert.deepEqual(readdirSync(folder), [name])
    return readFileSync(join(folder, name), 'utf8')
  }

  const digest = (text: string): string =>
    `sha256:${createHash('sha256').update(text).digest('hex')}`

  it('gives content, name, mode and date', async () => {
    serve('text', { 'last-modified': DATE })
    const file = await fetchFile('/a/b%20c.txt?token=x#y')
    const stat = statSync(join(file.directory, file.name))
    assert.equal(read(file), 'text')
    assert.deepEqual(
      [file.name, file.digest, file.size, file.modifiedMs, stat.mode & 0o777, stat.mtimeMs],
      ['b c.txt', digest('text'), 4, Date.parse(DATE), 0o600, Date.parse(DATE)],
    )
    assert.equal(server.seen[0]?.url, '/a/b%20c.txt?token=x')
    assert.equal(server.seen[0]?.headers['accept-encoding'], 'identity')
  })

  it('dates a file without Last-Modified 1970', async () => {
    serve('text')
    const file = await fetchFile('/a')
    assert.deepEqual([file.modifiedMs, statSync(join(file.directory, 'a')).mtimeMs], [0, 0])
  })

  it('sends the ETag and downloads nothing while the file is the same', async () => {
    serve('one', { etag: '"1"', 'last-modified': DATE })
    const first = await fetchFile('/a')
    const second = await fetchFile('/a')
    assert.deepEqual([first.isCached, second.isCached], [false, true])
    assert.equal(second.key, first.key)
    assert.equal(server.seen[1]?.headers['if-none-match'], '"1"')
    serve('two', { etag: '"2"' })
    const third = await fetchFile('/a')
    assert.deepEqual([third.isCached, read(third)], [false, 'two'])
    serve('one', { etag: '"1"' })
    const back = await fetchFile('/a')
    assert.deepEqual([back.isCached, read(back), back.key], [true, 'one', first.key])
    assert.equal(server.seen.at(-1)?.headers['if-none-match'], '"2", "1"')
  })

  it('sends the date without an ETag', async () => {
    serve('one', { 'last-modified': DATE })
    await fetchFile('/a')
    const again = await fetchFile('/a')
    assert.equal(server.seen[1]?.headers['if-modified-since'], DATE)
    assert.deepEqual([again.isCached, read(again)], [true, 'one'])
  })

  it('downloads again where there is neither, and finds that it is the same', async () => {
    serve('one')
    const first = await fetchFile('/a')
    const second = await fetchFile('/a')
    assert.deepEqual([second.isCached, second.key], [false, first.key])
  })

  it('keeps versions of other URLs, names and dates apart', async () => {
    serve('one', { etag: '"1"' })
    const keys = [await fetchFile('/a'), await fetchFile('/b'), await fetchFile('/x/a')]
    assert.deepEqual(
      keys.map(({ isCached }) => isCached),
      [false, false, false],
    )
    assert.equal(keys[0]?.key, keys[2]?.key)
    assert.notEqual(keys[0]?.key, keys[1]?.key)
    serve('one', { etag: '"3"', 'last-modified': DATE })
    assert.notEqual((await fetchFile('/a')).key, keys[0]?.key)
  })

  it('verifies a checksum, and sends no request for a stored file with it', async () => {
    serve('text', { etag: '"1"' })
    await assert.rejects(fetchFile('/a', { checksum: digest('other') }), {
      code: 'DIGEST_MISMATCH',
      message: `digest mismatch for ${server.origin}/a: ${digest('text')} (expected: ${digest('other')})`,
    })
    assert.equal((await fetchFile('/a')).isCached, false, 'nothing of it was kept')
    await assert.rejects(fetchFile('/a', { checksum: digest('other') }), {
      code: 'DIGEST_MISMATCH',
    })
    const before = server.seen.length
    assert.equal((await fetchFile('/a', { checksum: digest('text') })).isCached, true)
    assert.equal(server.seen.length, before)
  })

  it('follows redirects, and sends credentials to the first host only', async () => {
    await using other = await startWebServer((_request, response) => void response.end('text'))
    answer = (request, response) => {
      const isLast = request.url === '/second'
      const location = isLast ? `${other.origin}/third` : '/second'
      response.writeHead(302, { location }).end()
    }
    const { port } = server
    const file = await fetchFile(`http://me:pass%20word@127.0.0.1:${port}/first`)
    assert.deepEqual([read(file), file.name], ['text', 'first'])
    const basic = `Basic ${Buffer.from('me:pass word').toString('base64')}`
    assert.deepEqual(
      server.seen.map(({ headers }) => headers.authorization),
      [basic, basic],
    )
    assert.deepEqual(
      other.seen.map(({ headers }) => headers.authorization),
      [undefined],
    )
    await fetchFile('/first', { authorization: 'Bearer x' })
    assert.equal(server.seen.at(-1)?.headers.authorization, 'Bearer x')
    assert.equal(other.seen.at(-1)?.headers.authorization, undefined)
  })

  it('refuses redirects without end and to other protocols', async () => {
    for (const location of ['/again', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'http://[']) {
      answer = (_request, response) => void response.writeHead(302, { location }).end()
      await assert.rejects(fetchFile('/again'), { code: 'DOWNLOAD_FAILED' }, location)
    }
    assert.equal(server.seen.length, 11 + 3)
  })

  it('refuses redirects from this machine to its link', async () => {
    for (const host of ['169.254.169.254', '[fe80::1]', '[::ffff:a9fe:a9fe]', '[fd00:ec2::254]']) {
      const location = `http://${host}/latest/meta-data`
      answer = (_request, response) => void response.writeHead(302, { location }).end()
      await assert.rejects(fetchFile('/x'), { code: 'DOWNLOAD_FAILED', message: /local address/ })
    }
  })

  it('tries again after a failure of the server and a broken connection', async () => {
    let count = 0
    answer = (_request, response) => {
      count++
      if (count <= 2) response.writeHead(503).end('busy')
      else if (count === 3) {
        response.writeHead(200, { 'content-length': 100 })
        response.write('te')
        setImmediate(() => response.destroy())
      } else response.end('text')
    }
    assert.equal(read(await fetchFile('/a')), 'text')
    assert.equal(count, 4)
  })

  it('reports what is wrong', async () => {
    answer = (_request, response) => void response.writeHead(404).end()
    const url = `${server.origin}/a`
    await assert.rejects(fetchFile(`${url}?secret=1`), {
      code: 'DOWNLOAD_FAILED',
      message: `download ${url}?…: the server answered 404`,
    })
    answer = (_request, response) => void response.writeHead(500).end()
    await assert.rejects(fetchFile('/a'), { message: `download ${url}: the server answered 500` })
    await assert.rejects(fetchFile('http://127.0.0.1:1/a'), {
      code: 'DOWNLOAD_FAILED',
      message: 'download http://127.0.0.1:1/a: connection refused',
      hint: 'is there a server on 127.0.0.1:1?',
    })
    const signal = AbortSignal.abort()
    await assert.rejects(fetchFile('/a', { signal }), { code: 'CANCELLED' })
  })

  it('reports its progress', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 1 << 20 }).end(Buffer.alloc(1 << 20))
    }
    const reported: [number, number | undefined][] = []
    await fetchFile('/a', { onProgress: (...progress) => void reported.push(progress) })
    assert.deepEqual(reported.at(-1), [1 << 20, 1 << 20])
  })
})

describe('the source of a file', () => {
  const names: Readonly<Record<string, string>> = {
    'http://h/a.txt': 'a.txt',
    'https://h:8/x/y?q=/z#/w': 'y',
    'HTTP://h/x/': 'x',
    'http://h': '__unnamed__',
    'http://h/': '__unnamed__',
    'http://h/..': '__unnamed__',
    'http://h/%2e%2e%2f': '__unnamed__',
    'http://h/a%2fb': 'b',
    'http://h/%00': '__unnamed__',
    'http://h/%ff': '%ff',
    [`http://h/${'x'.repeat(300)}`]: '__unnamed__',
  }
  for (const [url, name] of Object.entries(names)) {
    it(`${url.slice(0, 40)} is named ${name}`, () => {
      assert.equal(parseHttpSource(url)?.name, name)
    })
  }

  it('is undefined for other texts', () => {
    for (const text of ['a', 'ftp://h/a', '/http://h/a', 'file:///a']) {
      assert.equal(parseHttpSource(text), undefined)
    }
    assert.throws(() => parseHttpSource('http://[/'), { code: 'DOCKERFILE_INVALID' })
    const source = parseHttpSource('http://h/a')
    assert.ok(source)
    assert.throws(() => withChecksum(source, 'sha512:00'), { code: 'DOCKERFILE_INVALID' })
  })
})
