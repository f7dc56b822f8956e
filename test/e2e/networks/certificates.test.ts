import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type Company,
  makeAuthority,
  makeSigned,
  OUTSIDE,
  startCompany,
  startHttpProxy,
  startOutsideRegistry,
} from '../../support/networks/index.ts'
import type { Outcome } from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { tsbuild } from '../support/tsbuild.ts'

const NAME = 'registry.corp.test'
/** Wants a certificate of the client, too. */
const STRICT = `${NAME}:444`

/** Registries whose certificates are signed by an authority of the company, behind a proxy. */
describe('certificates of a company', function () {
  this.timeout(240_000)
  const owned = new AsyncDisposableStack()
  let company: Company
  let proxy: string
  let authority: string
  let client: { readonly cert: string; readonly key: string }
  let pushes = 0

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    company = owned.use(await startCompany())
    const { path } = company.directory
    const ca = await makeAuthority(path, 'company-authority')
    authority = ca.cert
    const names = [`DNS:${NAME}`, `IP:${OUTSIDE}`]
    const tls = await makeSigned(path, 'server', { authority: ca, names })
    client = await makeSigned(path, 'client', { authority: ca })
    owned.use(await startOutsideRegistry(company, { port: 443, tls }))
    const strict = { ...tls, clientCa: ca.cert }
    owned.use(await startOutsideRegistry(company, { port: 444, tls: strict }))
    proxy = owned.use(await startHttpProxy(company, { port: 3128 })).host
  })
  after(() => owned.disposeAsync())

  interface Push {
    readonly env?: Record<string, string>
    readonly flags?: readonly string[]
    /** Copied into the home: from, to. */
    readonly files?: readonly (readonly [string, string])[]
    readonly prefix?: readonly string[]
  }

  async function push(
    registry: string,
    { env = {}, flags = [], files = [], prefix = [] }: Push,
  ): Promise<Outcome> {
    const root = company.directory.file(`store-${pushes++}`)
    const context = company.directory.file(`context-${pushes}`)
    writeContext(context, { Dockerfile: 'FROM scratch\nCOPY file /\n', file: `${pushes}` })
    for (const [from, to] of files) {
      const target = `${root}.home/${to}`
      mkdirSync(dirname(target), { recursive: true })
      copyFileSync(from, target)
    }
    const args = ['-t', `${registry}/app:${pushes}`, '--push', ...flags, context]
    return await tsbuild(args, {
      root,
      prefix: [...company.inside, ...prefix],
      env: { HTTPS_PROXY: `http://${proxy}`, ...env },
    })
  }

  function expectPushed(outcome: Outcome): void {
    assert.equal(outcome.status, 0, outcome.stderr)
  }

  it('that nothing trusts are an error that names them and where to put the authority', async () => {
    const outcome = await push(NAME, {})
    assert.notEqual(outcome.status, 0)
    assert.match(outcome.stderr, /the certificate is "server", signed by "company-authority"/)
    assert.match(
      outcome.stderr,
      /\/etc\/docker\/certs\.d\/registry\.corp\.test\/ca\.crt.*--registry-ca/,
    )
  })

  it('are trusted by --registry-ca', async () => {
    expectPushed(await push(NAME, { flags: ['--registry-ca', authority] }))
  })

  it('are trusted by SSL_CERT_FILE and by NODE_EXTRA_CA_CERTS', async () => {
    expectPushed(await push(NAME, { env: { SSL_CERT_FILE: authority } }))
    expectPushed(await push(NAME, { env: { NODE_EXTRA_CA_CERTS: authority } }))
  })

  it('are trusted by a folder of SSL_CERT_DIR', async () => {
    const folder = company.directory.file('authorities')
    mkdirSync(folder)
    copyFileSync(authority, `${folder}/company.pem`)
    const env = { SSL_CERT_DIR: `/nonexistent:${folder}`, SSL_CERT_FILE: '/nonexistent' }
    expectPushed(await push(NAME, { env }))
  })

  it('are trusted by the store of the machine', async () => {
    const bind = `mount --bind ${authority} /etc/ssl/certs/ca-certificates.crt && exec "$@"`
    expectPushed(await push(NAME, { prefix: ['unshare', '--mount', 'sh', '-c', bind, 'sh'] }))
  })

  for (const [folder, host] of [
    ['.config/docker/certs.d', NAME],
    ['.config/containers/certs.d', `${NAME}:443`],
  ] as const) {
    it(`are trusted by ${folder}/${host}, for that host only`, async () => {
      expectPushed(await push(NAME, { files: [[authority, `${folder}/${host}/any.crt`]] }))
      const other = await push(NAME, { files: [[authority, `${folder}/other.test/any.crt`]] })
      assert.match(other.stderr, /signed by "company-authority"/)
    })
  }

  it('of the client are shown to the host that they are for', async () => {
    const folder = `.config/docker/certs.d/${STRICT}`
    const files = [
      [authority, `${folder}/ca.crt`],
      [client.cert, `${folder}/client.cert`],
      [client.key, `${folder}/client.key`],
    ] as const
    expectPushed(await push(STRICT, { files }))
    const without = await push(STRICT, { files: files.slice(0, 1) })
    assert.notEqual(without.status, 0)
    assert.match(without.stderr, /REGISTRY_UNREACHABLE/)
    assert.match(without.stderr, /a \.cert and a \.key/)
    const keyless = await push(STRICT, { files: files.slice(0, 2) })
    assert.match(keyless.stderr, /client\.cert has no client\.key beside it/)
  })

  it('that are no certificates are an error with the name of the file', async () => {
    const outcome = await push(NAME, { flags: ['--registry-ca', '/etc/hostname'] })
    assert.notEqual(outcome.status, 0)
    assert.match(outcome.stderr, /\/etc\/hostname is not a certificate in PEM/)
  })
})
