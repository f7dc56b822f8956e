import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import {
  basicAuth,
  type Company,
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

const REGISTRY = 'registry.corp.test'
const MIRROR = 'mirror.corp.test:5000'
const ALICE = { user: 'alice', password: 'open-sesame' }
const BOB = { user: 'bob', password: 'close-sesame' }

/** A registry and a mirror with users of their own, behind a proxy. */
describe('mirrors of a registry', function () {
  this.timeout(240_000)
  const owned = new AsyncDisposableStack()
  let company: Company
  let proxy: string
  let authority: string
  let registryLog: () => string
  let mirrorLog: () => string
  let builds = 0

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    company = owned.use(await startCompany())
    const { path } = company.directory
    const ca = await makeAuthority(path, 'authority')
    authority = ca.cert
    const tls = await makeSigned(path, 'server', { authority: ca, names: [`DNS:${REGISTRY}`] })
    const registry = owned.use(
      await startOutsideRegistry(company, { port: 443, tls, login: ALICE }),
    )
    const mirror = owned.use(await startOutsideRegistry(company, { port: 5000, login: BOB }))
    registryLog = () => registry.log()
    mirrorLog = () => mirror.log()
    const base = await busyboxBase()
    await pushOutside(company, base, ':443/busybox:latest', ALICE)
    await pushOutside(company, base, ':443/other:latest', ALICE)
    await pushOutside(company, base, ':5000/proxy/busybox:latest', BOB)
    proxy = owned.use(await startHttpProxy(company, { port: 3128 })).host
  })
  after(() => owned.disposeAsync())

  interface Build {
    readonly flags?: readonly string[]
    readonly image?: string
    readonly bob?: typeof BOB
    /** `registries.conf` */
    readonly settings?: string
  }

  async function build({
    flags = [],
    image = 'busybox',
    bob = BOB,
    settings,
  }: Build): Promise<Outcome> {
    const root = company.directory.file(`store-${builds++}`)
    const context = company.directory.file(`context-${builds}`)
    writeContext(context, {
      Dockerfile: `FROM ${REGISTRY}/${image}\nCOPY file /\n`,
      file: `${builds}`,
    })
    if (settings !== undefined) {
      mkdirSync(`${root}.home/.config/containers`, { recursive: true })
      writeFileSync(`${root}.home/.config/containers/registries.conf`, settings)
    }
    const auths = { [REGISTRY]: { auth: basicAuth(ALICE) }, [MIRROR]: { auth: basicAuth(bob) } }
    const args = ['--registry-ca', authority, '-o', `type=oci,dest=${root}.tar`, ...flags, context]
    return await tsbuild(args, {
      root,
      prefix: company.inside,
      env: { ALL_PROXY: `http://${proxy}`, DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) },
    })
  }

  /** What the registry and the mirror were asked for by a build that works: requests for blobs and manifests. */
  async function asked(
    options: Build,
  ): Promise<{ registry: number; mirror: number; stderr: string }> {
    const count = (log: string): number =>
      log.match(/"(?:GET|HEAD) \/v2\/\w\S* HTTP\/1\.1" 200/g)?.length ?? 0
    const before = [count(registryLog()), count(mirrorLog())] as const
    const { status, stderr } = await build(options)
    assert.equal(status, 0, stderr)
    return {
      registry: count(registryLog()) - before[0],
      mirror: count(mirrorLog()) - before[1],
      stderr,
    }
  }

  const flags = ['--registry-mirror', `${REGISTRY}=http://${MIRROR}/proxy`]
  const settings = `[[registry]]\nlocation = "${REGISTRY}"\n[[registry.mirror]]\nlocation = "${MIRROR}/proxy"\ninsecure = true\n`

  it('are not asked without a setting', async () => {
    const { registry, mirror } = await asked({})
    assert.ok(registry >= 3)
    assert.equal(mirror, 0)
  })

  for (const [title, way] of [
    ['--registry-mirror', { flags }],
    ['registries.conf', { settings }],
  ] as const) {
    it(`are asked in place of the registry, as their own users: ${title}`, async () => {
      const { registry, mirror } = await asked(way)
      assert.equal(registry, 0)
      assert.ok(mirror >= 3)
    })
  }

  it('are asked for digests only where the settings say so', async () => {
    const { registry, mirror } = await asked({
      settings: settings.replace('insecure', 'pull-from-mirror = "digest-only"\ninsecure'),
    })
    assert.ok(registry >= 1 && mirror >= 1)
  })

  it('that do not have an image leave it to the registry', async () => {
    const { registry, mirror, stderr } = await asked({ flags, image: 'other' })
    assert.ok(registry >= 3)
    assert.equal(mirror, 0)
    assert.equal(stderr.includes('left out'), false)
  })

  it('that fail are a warning, and the registry is asked', async () => {
    const down = ['--registry-mirror', `${REGISTRY}=mirror.corp.test:5999`]
    const { registry, stderr } = await asked({ flags: down })
    assert.ok(registry >= 3)
    assert.match(stderr, /mirror mirror\.corp\.test:5999 of registry\.corp\.test is left out/)
    const denied = await asked({ flags, bob: { ...BOB, password: 'wrong-sesame' } })
    assert.match(denied.stderr, /left out: .*denied access/)
    assert.equal(denied.stderr.includes('sesame'), false)
  })

  it('get nothing of a push', async () => {
    const before = mirrorLog().length
    await asked({ flags: [...flags, '-t', `${REGISTRY}/pushed:1`, '--push'] })
    assert.equal(mirrorLog().slice(before).includes('"PUT '), false)
    assert.match(registryLog(), /"PUT \/v2\/pushed\/manifests/)
  })

  it('and the registry are not asked for what is blocked', async () => {
    const before = registryLog().length
    const blocked = await build({
      settings: `[[registry]]\nlocation = "${REGISTRY}"\nblocked = true\n`,
    })
    assert.notEqual(blocked.status, 0)
    assert.match(blocked.stderr, /registry\.corp\.test\/busybox is blocked by .*registries\.conf/)
    assert.equal(registryLog().length, before)
  })
})
