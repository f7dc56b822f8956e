import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { BuildEvent } from '#core'
import { capture, ensurePackages, readTree, run } from '../../../support/peers/index.ts'
import {
  commitFiles,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../../../support/servers/index.ts'
import { namesOf, Workplace } from '../support/workplace.ts'

const DATE = 'Tue, 15 Sep 2020 12:00:00 GMT'

describe('ADD from elsewhere', () => {
  let at: Workplace
  let server: WebServer
  let text: string | Buffer
  let etag: string

  before(() => ensurePackages())

  beforeEach(async () => {
    at = await Workplace.open()
    text = 'text'
    etag = '"1"'
    server = await startWebServer((request, response) => {
      const isKnown = request.headers['if-none-match']?.includes(etag) === true
      response.writeHead(isKnown ? 304 : 200, { etag, 'last-modified': DATE })
      response.end(isKnown ? undefined : text)
    })
  })

  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    await at[Symbol.asyncDispose]()
  })

  const out = (path: string): string => at.path(`out/${path}`)
  const build = async (lines: readonly string[], name = 'out') => {
    const dest = at.path(`${name}.tar`)
    const built = await at.build(['FROM scratch', ...lines], { outputs: [{ type: 'tar', dest }] })
    rmSync(at.path(name), { recursive: true, force: true })
    mkdirSync(at.path(name))
    await run('tar', ['-xpf', dest, '-C', at.path(name), '--numeric-owner'])
    return built
  }

  it('puts files, repositories, local files and heredocs side by side', async () => {
    const repository = at.path('served/r.git')
    mkdirSync(at.path('served'))
    await commitFiles(repository, { 'd/in': 'repository', root: '' })
    await using git = await startGitServer(at.path('served'))
    at.put({ local: 'local' })
    await build([
      `ADD --chown=5:6 --chmod=0640 local ${server.origin}/x/file ${git.origin}/r.git#main:d <<here /to/`,
      'heredoc',
      'here',
      `ADD ${server.origin}/y /name`,
      `ADD ${server.origin}/ /unnamed/`,
    ])
    const tree = await readTree(at.path('out'))
    const shown = [...tree].map(([path, { mode, owner }]) => [path, mode, owner])
    assert.deepEqual(
      shown.filter(([path]) => path !== '/'),
      [
        ['/name', '0600', '0:0'],
        ['/to', '0640', '5:6'],
        ['/to/file', '0640', '5:6'],
        ['/to/here', '0640', '5:6'],
        ['/to/in', '0640', '5:6'],
        ['/to/local', '0640', '5:6'],
        ['/unnamed', '0755', '0:0'],
        ['/unnamed/__unnamed__', '0600', '0:0'],
      ],
    )
    const read = (path: string): string => readFileSync(out(path), 'utf8')
    assert.deepEqual(['name', 'to/file', 'to/in', 'to/local', 'to/here'].map(read), [
      'text',
      'text',
      'repository',
      'local',
      'heredoc\n',
    ])
    assert.equal(lstatSync(out('name')).mtimeMs, Date.parse(DATE))
  })

  it('requests in every build, and does again only what changed', async () => {
    const lines = [`ADD ${server.origin}/a /a`, 'COPY local /b']
    at.put({ local: 'x' })
    const first = await build(lines)
    assert.deepEqual(first.steps, { total: 2, cached: 0 })
    const second = await build(lines)
    assert.deepEqual(second.steps, { total: 2, cached: 2 })
    assert.ok(namesOf(second.events, 'cached').includes(`${server.origin}/a`))
    assert.equal(server.seen.length, 2)
    text = 'other'
    etag = '"2"'
    const third = await build(lines)
    assert.deepEqual(third.steps, { total: 2, cached: 0 })
    assert.equal(readFileSync(out('a'), 'utf8'), 'other')
    etag = '"3"'
    const fourth = await build(lines)
    assert.deepEqual(fourth.steps, { total: 2, cached: 2 }, 'the same content under another tag')
  })

  it('requests once what several steps and stages use', async () => {
    await at.build([
      'FROM scratch AS one',
      `ADD ${server.origin}/a /a`,
      'FROM scratch',
      'COPY --from=one /a /one',
      `ADD ${server.origin}/a /two`,
    ])
    assert.equal(server.seen.length, 1)
  })

  it('requests nothing that the target does not need', async () => {
    const lines = [
      'FROM scratch AS unused',
      `ADD ${server.origin}/a /a`,
      'FROM scratch',
      'LABEL a=b',
    ]
    await at.build(lines)
    assert.equal(server.seen.length, 0)
  })

  it('unpacks a download only when asked to', async () => {
    mkdirSync(at.path('tar'))
    at.put({ 'x/file': 'packed' })
    const tar = at.path('a.tar')
    await run('tar', ['-cf', tar, '-C', at.path('context'), 'x'])
    text = gzipSync(readFileSync(tar))
    await build([
      `ADD ${server.origin}/a.tar.gz /packed/`,
      `ADD --unpack ${server.origin}/a.tar.gz /unpacked/`,
      `ADD --unpack=false ${server.origin}/a.tar.gz /kept`,
    ])
    assert.deepEqual(readFileSync(out('packed/a.tar.gz')), text)
    assert.deepEqual(readFileSync(out('kept')), text)
    assert.equal(readFileSync(out('unpacked/x/file'), 'utf8'), 'packed')
  })

  it('compares with --checksum, and sends no request for what is there', async () => {
    const good = createHash('sha256').update('text').digest('hex')
    const lines = [`ADD --checksum=sha256:${good} ${server.origin}/a /a`]
    await build(lines)
    await build(lines)
    assert.equal(server.seen.length, 1)
    const bad = [`ADD --checksum=sha256:${'0'.repeat(64)} ${server.origin}/a /a`]
    await assert.rejects(build(bad), (error: Error) => {
      assert.match(
        error.message,
        /digest mismatch for http:.*\/a: sha256:.* \(expected: sha256:0{64}\)/,
      )
      assert.ok('ranges' in error && Array.isArray(error.ranges))
      assert.equal(error.ranges[0]?.start.line, 2)
      return true
    })
  })

  it('does not fetch a repository again while its branch stays', async () => {
    mkdirSync(at.path('served'))
    const repository = at.path('served/r.git')
    await commitFiles(repository, { a: 'one' })
    await using git = await startGitServer(at.path('served'))
    const lines = [`ADD --keep-git-dir=false ${git.origin}/r.git /r`]
    await build(lines)
    assert.deepEqual((await build(lines)).steps, { total: 1, cached: 1 })
    assert.equal(git.fetches(), 1)
    await commitFiles(repository, { a: 'two' })
    assert.deepEqual((await build(lines)).steps, { total: 1, cached: 0 })
    assert.equal(readFileSync(out('r/a'), 'utf8'), 'two')
    await build([`ADD --keep-git-dir ${git.origin}/r.git /r`], 'kept')
    assert.equal(existsSync(at.path('kept/r/.git/HEAD')), true)
    assert.equal(existsSync(out('r/.git')), false)
  })

  it('sends secrets to the hosts that they are named after', async () => {
    mkdirSync(at.path('served'))
    await commitFiles(at.path('served/r.git'), { a: 'one' })
    const basic = `Basic ${Buffer.from('x-access-token:git-secret').toString('base64')}`
    await using git = await startGitServer(at.path('served'), { authorization: basic })
    const lines = ['FROM scratch', `ADD ${git.origin}/r.git ${server.origin}/a /`]
    await assert.rejects(at.build(lines), { code: 'DOWNLOAD_FAILED' })
    const secrets = {
      GIT_AUTH_TOKEN: { value: 'git-secret\n' },
      'HTTP_AUTH_TOKEN_127.0.0.1': { value: 'http-secret' },
      'HTTP_AUTH_TOKEN_example.com': { value: 'other' },
    }
    await at.build(lines, { secrets })
    assert.equal(server.seen.at(-1)?.headers.authorization, 'Bearer http-secret')
    const { status } = await capture('grep', [
      '-raq',
      '-e',
      'git-secret',
      '-e',
      'http-secret',
      at.path('store'),
    ])
    assert.equal(status, 1, 'they are nowhere in the store')
  })

  it('shows and stores nothing of a token in a URL', async () => {
    const events: BuildEvent[] = []
    const onEvent = (event: BuildEvent): void => void events.push(event)
    const url = `${server.origin}/a?v=1&access_token=url-secret`
    const built = await at.build(['FROM scratch', `ADD ${url} /`], { onEvent })
    assert.equal(server.seen.at(-1)?.url, '/a?v=1&access_token=url-secret')
    assert.ok(events.length > 0)
    assert.doesNotMatch(JSON.stringify([events, built]), /url-secret/)
    assert.match(JSON.stringify(events), /ADD http:[^ ]*\?v=1&access_token=xxxxx /)
    const { status } = await capture('grep', ['-raq', '-e', 'url-secret', at.path('store')])
    assert.equal(status, 1, 'it is nowhere in the store')
    const absent = at.build(['FROM scratch', 'ADD http://127.0.0.1:1/a?sig=url-secret /'])
    await assert.rejects(absent, ({ message }: Error) => !message.includes('url-secret'))
  })

  it('fails at the place of a file that is not there', async () => {
    await assert.rejects(build(['ADD http://127.0.0.1:1/a /a']), {
      code: 'DOWNLOAD_FAILED',
      message: 'download http://127.0.0.1:1/a: connection refused',
    })
  })
})
