import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import { writeContext } from '../../support/context.ts'
import { mustBuild, tsbuild } from '../../support/tsbuild.ts'

describe('--load into podman', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let env: Readonly<Record<string, string>>
  before(async () => {
    directory = temporaryDirectory('podman')
    registry = await startBusyboxRegistry()
    const storage = directory.file('storage.conf')
    const [graph, state] = [directory.file('graph'), directory.file('run')]
    const lines = ['[storage]', 'driver = "vfs"', `graphroot = "${graph}"`, `runroot = "${state}"`]
    writeFileSync(storage, lines.join('\n'))
    env = { CONTAINERS_STORAGE_CONF: storage, HOME: directory.path }
    writeContext(directory.file('context'), {
      Dockerfile: `FROM ${registry.host}/busybox\nCOPY --link note /note\n`,
      note: 'one\n',
    })
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const podman = (args: readonly string[]) => run('podman', args, { env })
  const load = (root: string, ...flags: readonly string[]) => {
    const words = ['-q', '--load-into', 'podman', ...flags, directory.file('context')]
    return mustBuild(words, { root: directory.file(root), env })
  }
  async function note(image: string): Promise<string> {
    const { stdout } = await podman(['image', 'mount', image])
    const { stdout: text } = await run('cat', [`${stdout.trim()}/note`])
    await podman(['image', 'umount', image])
    return text
  }
  async function names(): Promise<readonly string[]> {
    const format = ['--format', '{{.Repository}}:{{.Tag}}']
    return (await podman(['images', ...format])).stdout.trim().split('\n').sort()
  }

  it('gives it the image with its id, under its names alone', async () => {
    const { stdout: id } = await load('store', '-t', 'app:1', '-t', 'localhost/b:2')
    assert.deepEqual(await names(), ['docker.io/library/app:1', 'localhost/b:2'])
    const inspected = await podman(['inspect', '--format', 'sha256:{{.Id}}', 'app:1'])
    assert.equal(inspected.stdout, id)
    assert.equal(await note('app:1'), 'one\n')
  })

  it('names it again where only the name is new', async () => {
    await load('store', '-t', 'app:2')
    assert.equal(await note('app:2'), 'one\n')
  })

  it('reads only what podman does not have: the base need not be here', async () => {
    writeFileSync(directory.file('context/note'), 'two\n')
    await load('without-base', '-t', 'app:1')
    assert.equal(await note('app:1'), 'two\n')
    // A linked copy needs nothing of what is below.
    const blobs = await run('du', ['-s', directory.file('without-base/blobs')])
    assert.equal(Number.parseInt(blobs.stdout, 10) < 300, true, blobs.stdout)
  })

  it('fetches the base where podman has lost it', async () => {
    await podman(['rmi', '-af'])
    writeFileSync(directory.file('context/note'), 'three\n')
    await load('without-base', '-t', 'app:1')
    assert.equal(await note('app:1'), 'three\n')
  })

  it('takes an archive of tsbuild, and tsbuild one of podman', async () => {
    const archive = directory.file('app.tar')
    const context = directory.file('context')
    const start = { root: directory.file('store') }
    await mustBuild(['-t', 'from:tsbuild', '-o', `type=docker,dest=${archive}`, context], start)
    await podman(['load', '-q', '-i', archive])
    assert.equal(await note('docker.io/library/from:tsbuild'), 'three\n')
    const file = directory.file('oci-archive.tar')
    await podman(['save', '--format', 'oci-archive', '-o', file, 'docker.io/library/from:tsbuild'])
    const loaded = { root: directory.file('loaded') }
    await mustBuild(['load', '-q', '-i', file, '--name', 'from:tsbuild'], loaded)
    const onTop = { Dockerfile: 'FROM from:tsbuild\nRUN grep three /note\n' }
    await mustBuild([writeContext(directory.file('on-top'), onTop)], loaded)
  })

  it('is an error with what podman says where it fails', async () => {
    const broken = directory.file('broken.conf')
    writeFileSync(broken, '[storage]\ndriver = "none"\ngraphroot = "/nonexistent/a"\n')
    const words = ['-t', 'app:9', '--load-into', 'podman', directory.file('context')]
    const start = {
      root: directory.file('store'),
      env: { ...env, CONTAINERS_STORAGE_CONF: broken },
    }
    const outcome = await tsbuild(words, start)
    assert.notEqual(outcome.status, 0)
    assert.match(outcome.stderr, /load into podman: .*\(IO_FAILED\)/)
  })
})
