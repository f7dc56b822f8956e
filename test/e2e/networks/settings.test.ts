import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import {
  basicAuth,
  type Company,
  type GatewayProxy,
  makeAuthority,
  makeSigned,
  pushOutside,
  startCompany,
  startHttpProxy,
  startOutsideRegistry,
} from '../../support/networks/index.ts'
import { busyboxBase, type Outcome } from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { tsbuild } from '../support/tsbuild.ts'

const MIRROR = 'mirror.corp.test'
const PROXY = { user: 'staff', password: 'pr0xy-pw' }
const ALICE = { user: 'alice', password: 'open-sesame' }

/** A mirror over https with users, behind a proxy with users, all of which only `config.toml` names. */
describe('config.toml', function () {
  this.timeout(240_000)
  const owned = new AsyncDisposableStack()
  let company: Company
  let proxy: GatewayProxy
  let settings: string
  let runs = 0

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    company = owned.use(await startCompany())
    const { path } = company.directory
    const ca = await makeAuthority(path, 'authority')
    const tls = await makeSigned(path, 'server', { authority: ca, names: [`DNS:${MIRROR}`] })
    owned.use(await startOutsideRegistry(company, { port: 443, tls, login: ALICE }))
    await pushOutside(company, await busyboxBase(), ':443/hub/library/busybox:latest', ALICE)
    proxy = owned.use(await startHttpProxy(company, { port: 3128, login: PROXY }))
    const auth = basicAuth(ALICE)
    const authfile = company.directory.file('auth.json')
    writeFileSync(authfile, JSON.stringify({ auths: { [MIRROR]: { auth } } }))
    settings = [
      `registry-ca = ["${ca.cert}"]`,
      `authfile = "${authfile}"`,
      'insecure-registries = ["lab.corp.test:5000"]',
      'colour = "blue"',
      '[registry-mirrors]',
      `"docker.io" = ["${MIRROR}/hub"]`,
      '[proxies]',
      `https = "http://${PROXY.user}:${PROXY.password}@${proxy.host}"`,
      'no = ["10.0.0.0/8", ".lab.test"]',
      '',
    ].join('\n')
  })
  after(() => owned.disposeAsync())

  async function start(
    args: readonly string[],
    { text, env = {} }: { readonly text?: string; readonly env?: Record<string, string> },
  ): Promise<Outcome> {
    const root = company.directory.file(`store-${runs++}`)
    if (text !== undefined) {
      mkdirSync(`${root}.home/.config/tsbuild`, { recursive: true })
      writeFileSync(`${root}.home/.config/tsbuild/config.toml`, text)
    }
    return await tsbuild(args, { root, prefix: company.inside, env })
  }

  function context(): string {
    const path = company.directory.file(`context-${runs}`)
    writeContext(path, { Dockerfile: 'FROM busybox\nCOPY file /\n', file: `${runs}` })
    return path
  }

  it('has all that a network needs, and variables come before it', async () => {
    const outcome = await start([context()], { text: settings })
    assert.equal(outcome.status, 0, outcome.stderr)
    assert.match(proxy.log(), /CONNECT mirror\.corp\.test:443/)
    assert.equal(`${outcome.stdout}${outcome.stderr}`.includes(PROXY.password), false)
    assert.notEqual((await start([context()], {})).status, 0)
    const env = { https_proxy: 'http://10.98.0.1:9' }
    const replaced = await start([context()], { text: settings, env })
    assert.notEqual(replaced.status, 0)
    assert.match(replaced.stderr, /10\.98\.0\.1:9 \(HTTPS_PROXY\)/)
  })

  it('is shown, with what replaces it, and no password', async () => {
    const env = { no_proxy: 'corp.test', ALL_PROXY: 'http://me:p@ss@p.test' }
    const { stdout, status } = await start(['config', '--format', 'json'], { text: settings, env })
    assert.equal(status, 0)
    const rows = JSON.parse(stdout) as { key: string; value: string; from: string }[]
    const shown = rows.map(({ key, value, from }) => `${key} ${value} ${from.replace(/^.*\//, '')}`)
    for (const row of [
      `HTTPS_PROXY http://…@${proxy.host} config.toml`,
      'ALL_PROXY http://…@p.test ALL_PROXY',
      'NO_PROXY corp.test no_proxy',
      'insecure-registries lab.corp.test:5000 config.toml',
      `registry-mirrors docker.io=${MIRROR}/hub config.toml`,
      'colour (unknown, without effect) config.toml',
    ]) {
      assert.ok(shown.includes(row), `${row}\n${shown.join('\n')}`)
    }
    assert.equal(/pr0xy|ss@/.test(stdout), false)
    const table = await start(['config'], { text: settings })
    assert.match(table.stdout, /^SETTING +VALUE +FROM\n/)
    assert.match(table.stdout, /^NO_PROXY +10\.0\.0\.0\/8,\.lab\.test +\S+config\.toml$/m)
  })

  for (const [title, text] of [
    ['that is no TOML', 'proxies = {'],
    ['with a value of another kind', '[proxies]\nhttps = ["http://me:hush@p"]\n'],
    ['with an unknown proxy', '[proxies]\ngopher = "http://me:hush@p"\n'],
    ['with mirrors that are a text', 'registry-mirrors = "m.test"\n'],
  ] as const) {
    it(`${title} is an error of config, and a warning of a build that needs none of it`, async () => {
      const shown = await start(['config'], { text })
      assert.notEqual(shown.status, 0)
      assert.match(shown.stderr, /config\.toml/)
      const scratch = company.directory.file(`scratch-${runs}`)
      writeContext(scratch, { Dockerfile: 'FROM scratch\nCOPY file /\n', file: 'x' })
      const built = await start([scratch], { text })
      assert.equal(built.status, 0, built.stderr)
      assert.match(built.stderr, /WARNING: settings of networks are left out/)
      assert.equal(`${shown.stderr}${built.stderr}`.includes('hush'), false)
    })
  }
})
