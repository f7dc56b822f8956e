import assert from 'node:assert/strict'
import { cpSync, statSync, writeFileSync } from 'node:fs'
import {
  capture,
  compareImages,
  copyImage,
  createUser,
  type Dockerd,
  debianBase,
  diskDirectory,
  freePort,
  pushLayout,
  type ReadImage,
  type Registry,
  readImage,
  run,
  startContainer,
  startDockerd,
  startRegistry,
  type TemporaryDirectory,
} from '../../support/peers/index.ts'
import { type Compiler, writeApplication } from '../support/application.ts'
import { installedFor } from '../support/installed.ts'
import { FIXTURES, mustBuild, stepsThat } from '../support/tsbuild.ts'

export interface ApplicationOptions {
  /** Whether the stage with the compiler is compared, too. */
  readonly stages: boolean
}

/**
 * The way of a real application: a compiler from Debian in one stage, its product in another,
 * pushed to a registry, judged by programs that have never heard of tsbuild.
 */
export function applicationSuite(compiler: Compiler, { stages }: ApplicationOptions): void {
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  let context: string
  let reference: ReadImage

  before(async () => {
    directory = diskDirectory('app', 0o755)
    context = directory.file('context')
    writeApplication(context, compiler)
    registry = await startRegistry()
    await pushLayout(await debianBase(), `${registry.host}/debian:latest`)
    dockerd = await startDockerd()
    reference = await buildWithBuildKit('buildkit')
  })

  after(async () => {
    await dockerd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = () => ({ root: directory.file('store'), timeoutMs: 120_000 })
  const base = (): string => `BASE=${registry.host}/debian:latest`

  async function buildWithBuildKit(name: string): Promise<ReadImage> {
    const image = `${registry.host}/${name}:latest`
    await dockerd.build(['--build-arg', base(), '-t', image, context])
    await dockerd.docker(['push', '--quiet', image])
    return await readImage(`docker://${image}`, directory.path, name)
  }

  function args(name: string): string[] {
    const image = `${registry.host}/${name}:latest`
    // As BuildKit does it here: apt-get reaches its mirrors the way this machine does.
    return ['--network', 'host', '--build-arg', base(), '-t', image, '--push', context]
  }

  it('is built and pushed as root', async () => {
    const outcome = await mustBuild(args('root'), start())
    const done = stepsThat('DONE', outcome).map((step) => step.split('\n')[0])
    assert.equal(done.length, 8, done.join('\n'))
    assert.equal(outcome.stderr.includes('this stage is not needed'), false)
  })

  it('is accepted by skopeo, and has the files and the config of the image BuildKit makes', async () => {
    const name = `docker://${registry.host}/root:latest`
    const inspected = await run('skopeo', ['inspect', '--tls-verify=false', name])
    const { Labels, RepoTags } = JSON.parse(inspected.stdout) as Record<string, unknown>
    assert.deepEqual(Labels, reference.config.config?.Labels)
    assert.deepEqual(RepoTags, ['latest'])
    const image = await readImage(name, directory.path, 'root')
    assert.ok(image.tree.size > 1000)
    assert.equal(image.tree.get('/srv/www/index.html')?.owner, '1234:1234')
    assert.equal(image.tree.has('/srv/www/notes.txt'), false)
    assert.equal(image.tree.has('/var/lib/apt/lists'), false)
    assert.deepEqual(compareImages(image, reference), [])
  })

  if (stages) {
    it('has an intermediate stage equal to BuildKit’s, compiler and all', compareStages)
  }

  async function compareStages(): Promise<void> {
    const image = 'compiler:latest'
    const layout = directory.file('compiler-layout-of-tsbuild')
    const archive = directory.file('compiler.tar')
    const flags = ['--build-arg', base(), '--target', 'build', '-t', image]
    // Uncompressed, since it may be hundreds of megabytes.
    const output = `type=oci,tar=false,compression=uncompressed,dest=${layout}`
    const outcome = await mustBuild([...flags, '--network', 'host', '-o', output, context], start())
    assert.deepEqual(stepsThat('DONE', outcome), [])
    await dockerd.build([...flags, context])
    await dockerd.docker(['save', '--output', archive, image])
    const ours = await readImage(`oci:${layout}`, directory.path, 'compiler')
    const theirs = await readImage(
      `docker-archive:${archive}`,
      directory.path,
      'compiler-of-buildkit',
    )
    assert.ok(ours.tree.has(`/usr/bin/${compiler}`))
    assert.deepEqual(compareImages(ours, theirs), [])
  }

  it('runs under runc and answers', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const ask = (path: string) => fetch(`${url}${path}`).catch(() => undefined)
    await using container = await startContainer(
      `${directory.path}/root`,
      { PORT: `${port}` },
      async () => ((await ask('/health'))?.ok ? 'healthy' : undefined),
    )
    const page = await ask('/')
    assert.equal(page?.headers.get('server'), 'app/1.0')
    assert.equal(page?.headers.get('x-user'), '1234')
    assert.match((await page?.text()) ?? '', /It answers/)
    assert.match(await container.exec(['/usr/bin/env']), /^GREETING=it answers$/m)
  })

  it('is cached as a whole the second time, and gets the same digest', async () => {
    const first = directory.file('first')
    const again = directory.file('again')
    await copyImage(`docker://${registry.host}/root:latest`, `dir:${first}`)
    const outcome = await mustBuild(args('root'), start())
    assert.deepEqual(stepsThat('DONE', outcome), [])
    assert.equal(stepsThat('CACHED', outcome).length, 8)
    await copyImage(`docker://${registry.host}/root:latest`, `dir:${again}`)
    const manifests = await capture('cmp', [`${first}/manifest.json`, `${again}/manifest.json`])
    assert.equal(manifests.status, 0)
  })

  it('executes again only what depends on a changed file', async () => {
    writeFileSync(`${context}/www/index.html`, '<p>It answers, differently.</p>\n')
    const outcome = await mustBuild(args('changed'), start())
    assert.deepEqual(stepsThat('DONE', outcome), ['[stage-3 5/5] COPY --chown=app:app www ./'])
    assert.equal(stepsThat('CACHED', outcome).length, 7)
    cpSync(`${FIXTURES}/app/www`, `${context}/www`, { recursive: true })
  })

  it('is built by an ordinary user, equal in every file', async () => {
    await using user = await createUser()
    using installed = await installedFor(user)
    const root = `${user.home}/store`
    await mustBuild(args('user'), {
      root,
      cwd: user.home,
      prefix: user.prefix,
      env: { HOME: user.home },
      installed,
      timeoutMs: 120_000,
    })
    assert.notEqual(statSync(root).uid, 0)
    const image = await readImage(`docker://${registry.host}/user:latest`, directory.path, 'user')
    assert.deepEqual(compareImages(image, reference), [])
  })
}
