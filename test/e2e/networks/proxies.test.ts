import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  basicAuth,
  type Company,
  GATEWAY,
  type GatewayProxy,
  makeAuthority,
  makeSigned,
  OUTSIDE,
  pushOutside,
  startCompany,
  startHttpProxy,
  startOutsideRegistry,
  startSocksProxy,
} from '../../support/networks/index.ts'
import { busyboxBase, capture, type Outcome, startDaemon } from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE, mustBuild, type Start, tsbuild } from '../support/tsbuild.ts'

const SECRET = 's3cr:t/pw'
const PROXY_LOGIN = { user: 'staff', password: 's3crtpw' }
const REGISTRY_LOGIN = { user: 'alice', password: 'open-sesame' }
const AUTHORIZATION = basicAuth(PROXY_LOGIN)

/** A registry over https with users, a web server and a repository, all behind a gateway that forwards nothing. */
describe('a network whose only way out is a proxy', function () {
  this.timeout(240_000)
  const owned = new AsyncDisposableStack()
  let company: Company
  let open: GatewayProxy
  let closed: GatewayProxy
  let socks: GatewayProxy
  let authority: string
  let seen: () => string
  let builds = 0

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    company = owned.use(await startCompany())
    const { path } = company.directory
    const ca = await makeAuthority(path, 'authority')
    authority = ca.cert
    const names = ['DNS:registry.corp.test', `IP:${OUTSIDE}`]
    const tls = await makeSigned(path, 'server', { authority: ca, names })
    owned.use(await startOutsideRegistry(company, { port: 443, tls, login: REGISTRY_LOGIN }))
    await pushOutside(company, await busyboxBase(), ':443/busybox:latest', REGISTRY_LOGIN)
    open = owned.use(await startHttpProxy(company, { port: 3128 }))
    closed = owned.use(await startHttpProxy(company, { port: 3129, login: PROXY_LOGIN }))
    socks = owned.use(await startSocksProxy(company, { port: 1080, login: PROXY_LOGIN }))
    seen = await startWebSite(company, owned)
  })
  after(() => owned.disposeAsync())

  const auth = (): string =>
    JSON.stringify({ auths: { 'registry.corp.test': { auth: basicAuth(REGISTRY_LOGIN) } } })

  function start(env: Record<string, string>): Start {
    const root = company.directory.file(`store-${builds++}`)
    const own = { NODE_EXTRA_CA_CERTS: authority, DOCKER_AUTH_CONFIG: auth() }
    return { root, prefix: company.inside, env: { ...own, ...env }, timeoutMs: 100_000 }
  }

  function build(dockerfile: string, env: Record<string, string>): Promise<Outcome> {
    const context = company.directory.file(`context-${builds}`)
    writeContext(context, { Dockerfile: dockerfile })
    const tag = `registry.corp.test/app:${builds}`
    return tsbuild(['-t', tag, '--push', context], start(env))
  }

  const EVERYTHING = [
    'FROM registry.corp.test/busybox',
    'ADD http://files.corp.test/file.txt /file.txt',
    'ADD http://files.corp.test/tools.git /tools',
    '',
  ].join('\n')

  function expectSuccess(outcome: Outcome): void {
    assert.equal(outcome.status, 0, outcome.stderr)
  }

  it('takes everything through the proxies of HTTP_PROXY and HTTPS_PROXY', async () => {
    const proxies = { HTTP_PROXY: `http://${open.host}`, HTTPS_PROXY: open.host }
    expectSuccess(await build(EVERYTHING, proxies))
    const log = open.log()
    assert.match(log, /CONNECT registry\.corp\.test:443/)
    assert.match(log, /GET http:\/\/files\.corp\.test\/file\.txt/)
    assert.match(log, /(?:GET|POST) http:\/\/files\.corp\.test\/tools\.git/)
  })

  it('takes ALL_PROXY for what has none of its own, in lower case too', async () => {
    const before = open.log().length
    expectSuccess(await build(EVERYTHING, { all_proxy: `http://${open.host}/` }))
    const log = open.log().slice(before)
    assert.match(log, /CONNECT registry/)
    assert.match(log, /GET http:\/\/files/)
  })

  for (const protocol of ['socks5', 'socks5h']) {
    it(`takes everything through ${protocol}, whose proxy looks names up`, async () => {
      const login = `${PROXY_LOGIN.user}:${PROXY_LOGIN.password}`
      expectSuccess(await build(EVERYTHING, { ALL_PROXY: `${protocol}://${login}@${socks.host}` }))
      assert.match(socks.log(), /registry\.corp\.test:443/)
    })
  }

  it('sends the user of a proxy to that alone, and users of registries to these', async () => {
    const { user, password } = PROXY_LOGIN
    const proxy = `http://${user}:${password}@${closed.host}`
    const outcome = await build(EVERYTHING, { HTTP_PROXY: proxy, HTTPS_PROXY: proxy })
    expectSuccess(outcome)
    assert.match(closed.log(), /CONNECT registry/)
    assert.ok(seen().includes('GET /file.txt'))
    assert.equal(/proxy-authorization/i.test(seen()), false)
    for (const text of [seen(), outcome.stderr, outcome.stdout]) {
      assert.equal(text.includes(AUTHORIZATION) || text.includes(password), false)
    }
  })

  describe('without a way out', () => {
    const FROM = 'FROM registry.corp.test/busybox\n'
    const REFUSALS: readonly (readonly [string, string, RegExp])[] = [
      [
        'is told that the proxy wants a user',
        'http://HOST:3129',
        /proxy http:\/\/10\.98\.0\.1:3129 \(HTTPS_PROXY\) wants a user and a password/,
      ],
      [
        'is told that the proxy wants another',
        `http://staff:${encodeURIComponent(SECRET)}@HOST:3129`,
        /does not accept its user and password/,
      ],
      [
        'is told that SOCKS wants another',
        `socks5://staff:${encodeURIComponent(SECRET)}@HOST:1080`,
        /does not accept its user and password/,
      ],
      [
        'is told that there is no proxy',
        'http://HOST:9',
        /proxy http:\/\/10\.98\.0\.1:9 \(HTTPS_PROXY\): connect ECONNREFUSED/,
      ],
      [
        'is told that the variable is no URL',
        `gopher://staff:${SECRET}@HOST`,
        /HTTPS_PROXY is not the URL of a proxy/,
      ],
      [
        'is told that the variable is damaged',
        `http://staff:${SECRET}@HOST:3129`,
        /HTTPS_PROXY is not the URL of a proxy/,
      ],
    ]
    for (const [title, proxy, expected] of REFUSALS) {
      it(title, async () => {
        const outcome = await build(FROM, { HTTPS_PROXY: proxy.replace('HOST', GATEWAY) })
        assert.notEqual(outcome.status, 0)
        assert.match(outcome.stderr, expected)
        assert.equal(outcome.stderr.includes(SECRET), false)
        assert.equal(outcome.stderr.includes(encodeURIComponent(SECRET)), false)
      })
    }

    it('asks no proxy without a variable, nor for what NO_PROXY excepts', async () => {
      const before = open.log().length
      const HTTPS_PROXY = `http://${open.host}`
      for (const env of [{}, { HTTPS_PROXY, NO_PROXY: '10.0.0.0/8, *.corp.test' }]) {
        const outcome = await build(FROM, env as Record<string, string>)
        assert.notEqual(outcome.status, 0)
        assert.match(outcome.stderr, /no such host|cannot reach registry/)
      }
      assert.equal(open.log().length, before)
    })

    it('does not take the HTTP_PROXY of a CGI program, which is a header of a request', async () => {
      const add = 'FROM scratch\nADD http://files.corp.test/file.txt /\n'
      const forged = { HTTP_PROXY: `http://${open.host}`, REQUEST_METHOD: 'GET' }
      const outcome = await build(add, forged)
      assert.notEqual(outcome.status, 0)
      assert.match(outcome.stderr, /no such host/)
    })
  })

  it('logs in through the proxy', async () => {
    const env = { HTTPS_PROXY: `http://${open.host}` }
    const args = ['login', '-u', REGISTRY_LOGIN.user, '--password-stdin', 'registry.corp.test']
    const outcome = await mustBuild(args, { ...start(env), input: REGISTRY_LOGIN.password })
    assert.match(outcome.stdout, /logged in to registry\.corp\.test/)
  })
})

/** Serves a file and a repository; what it was asked, with all headers, is in its log. */
async function startWebSite(company: Company, owned: AsyncDisposableStack): Promise<() => string> {
  const { directory } = company
  const work = directory.file('work')
  const script = [
    'set -e',
    `git init -q ${work} && cd ${work}`,
    'git config user.name t && git config user.email t@t.test',
    'echo tool > tool && git add tool && git commit -qm first',
    `git clone -q --bare . ${directory.file('tools.git')}`,
    `cd ${directory.file('tools.git')} && git update-server-info`,
  ]
  const made = await capture('sh', ['-c', script.join('\n')], { env: { HOME: directory.path } })
  assert.equal(made.status, 0, made.stderr)
  writeFileSync(directory.file('file.txt'), 'a file\n')
  const program = directory.file('site.cjs')
  writeFileSync(program, SITE)
  const log = directory.file('site.log')
  const [command = '', ...rest] = [...company.outside, HERE.node, program, directory.path]
  owned.use(
    await startDaemon(command, rest, {
      log,
      ready: (text) => (text.includes('ready') ? 'ready' : undefined),
    }),
  )
  return () => readFileSync(log, 'utf8')
}

/** Git's own CGI program answers for repositories, as only it speaks the protocol for shallow fetches. */
const SITE = `
const { createServer } = require('node:http')
const { readFileSync } = require('node:fs')
const { spawn } = require('node:child_process')
const folder = process.argv[2]
createServer((request, response) => {
  console.log(request.method + ' ' + request.url + ' ' + JSON.stringify(request.headers))
  if (request.url === '/file.txt') return response.end(readFileSync(folder + '/file.txt'))
  const url = new URL(request.url, 'http://site')
  const env = {
    PATH: process.env.PATH, GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*',
    GIT_PROTOCOL: request.headers['git-protocol'] ?? '', PATH_INFO: url.pathname,
    QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
  }
  const child = spawn('git', ['http-backend'], { env })
  request.pipe(child.stdin)
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.on('close', () => {
    const answer = Buffer.concat(chunks)
    const end = answer.indexOf('\\r\\n\\r\\n')
    for (const line of answer.subarray(0, end).toString().split('\\r\\n')) {
      const [name, value] = line.split(': ')
      if (name === 'Status') response.statusCode = Number(value.slice(0, 3))
      else response.setHeader(name, value)
    }
    response.end(answer.subarray(end + 4))
  })
}).listen(80, () => console.log('ready'))
`
