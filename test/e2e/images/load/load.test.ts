import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMemoryEngine } from '../../../support/engines/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { writeContext } from '../../support/context.ts'
import { tsbuild } from '../../support/tsbuild.ts'
import { dockerEngine } from './docker-engine.ts'
import { loadSuite } from './load-suite.ts'

loadSuite('docker with its own store', () => dockerEngine())

loadSuite('an engine with the store of containerd', async (folder) => {
  const socket = join(folder, 'engine')
  const engine = await startMemoryEngine(socket)
  return {
    socket,
    isWhole: async (name) => isWhole(engine, name),
    lose: async (diffId) => {
      assert.equal(engine.blobs.delete(diffId), true)
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
})

type Memory = Awaited<ReturnType<typeof startMemoryEngine>>

function isWhole({ blobs, tags }: Memory, name: string): boolean {
  const root = tags.get(name)
  if (root === undefined) throw new Error(`no image ${name}`)
  const { config, layers } = JSON.parse(String(blobs.get(root))) as {
    config: { digest: string }
    layers: readonly { digest: string }[]
  }
  return layers.length === 2 && [config, ...layers].every(({ digest }) => blobs.has(digest))
}

describe('which engine --load finds', () => {
  let directory: TemporaryDirectory
  let context: string
  before(() => {
    directory = temporaryDirectory('engine')
    context = writeContext(directory.file('context'), {
      Dockerfile: 'FROM scratch\nCOPY a /\n',
      a: 'a\n',
    })
  })
  after(() => directory?.[Symbol.dispose]())

  async function load(flags: readonly string[], env: Readonly<Record<string, string>>) {
    const start = { root: directory.file('store'), env }
    return await tsbuild(['-t', 'app', ...flags, context], start)
  }

  it('sends all to a daemon that cannot say what it has', async () => {
    const socket = directory.file('old-containerd')
    await using engine = await startMemoryEngine(socket, { provesContent: false })
    assert.equal((await load(['--load'], { DOCKER_HOST: `unix://${socket}` })).status, 0)
    assert.equal(engine.tags.has('app:latest'), true)
    const blobs = [...engine.blobs.keys()]
    engine.blobs.clear()
    // Its name alone does not prove that it is there.
    assert.equal((await load(['--load'], { DOCKER_HOST: `unix://${socket}` })).status, 0)
    assert.deepEqual([...engine.blobs.keys()], blobs)
  })

  it("is that of docker's context", async () => {
    const socket = directory.file('of-context')
    await using engine = await startMemoryEngine(socket)
    const id = createHash('sha256').update('mine').digest('hex')
    const meta = directory.file(`config/contexts/meta/${id}`)
    mkdirSync(meta, { recursive: true })
    const document = { Name: 'mine', Endpoints: { docker: { Host: `unix://${socket}` } } }
    writeFileSync(join(meta, 'meta.json'), JSON.stringify(document))
    writeFileSync(directory.file('config/config.json'), '{"currentContext":"mine"}')
    const DOCKER_CONFIG = directory.file('config')
    for (const flags of [['--load'], ['-o', 'type=docker,context=mine']]) {
      engine.tags.clear()
      assert.equal((await load(flags, { DOCKER_CONFIG })).status, 0)
      assert.equal(engine.tags.has('app:latest'), true)
    }
    const other = await load(['-o', 'type=docker,context=yours'], { DOCKER_CONFIG })
    assert.notEqual(other.status, 0)
    assert.match(other.stderr, /no docker context "yours".*\(NOT_FOUND\)/s)
  })

  it('is reached through ssh as docker does it', async () => {
    const socket = directory.file('far')
    await using engine = await startMemoryEngine(socket)
    const bin = directory.file('bin')
    mkdirSync(bin)
    // The words after the host are what docker's own client is asked for there.
    const relay = `require('net').connect('${socket}').on('connect', function () {
      process.stdin.pipe(this).pipe(process.stdout)
    })`
    const script = `#!/bin/sh\necho "$@" > ${directory.file('words')}\nexec node -e "${relay}"\n`
    writeFileSync(join(bin, 'ssh'), script)
    chmodSync(join(bin, 'ssh'), 0o755)
    symlinkSync(process.execPath, join(bin, 'node'))
    const PATH = `${bin}:/usr/bin:/bin`
    const env = { PATH, DOCKER_HOST: 'ssh://me@host:2222' }
    assert.equal((await load(['--load'], env)).status, 0)
    assert.equal(engine.tags.has('app:latest'), true)
  })

  it('gets an index with all of its images and attestations, where it has the store of containerd', async () => {
    const socket = directory.file('index')
    await using engine = await startMemoryEngine(socket)
    const env = { DOCKER_HOST: `unix://${socket}` }
    const flags = ['--load', '--platform', 'linux/amd64,linux/arm64', '--provenance=true']
    assert.equal((await load(flags, env)).status, 0)
    const index = String(engine.blobs.get(engine.tags.get('app:latest') ?? ''))
    const { manifests } = JSON.parse(index) as { manifests: readonly { digest: string }[] }
    // Two images, and what is said of each.
    assert.equal(manifests.length, 4)
    assert.equal(
      manifests.every(({ digest }) => engine.blobs.has(digest)),
      true,
    )
  })

  it('gives the reason why it refuses an image, and has no name of it', async () => {
    const socket = directory.file('refusing')
    await using engine = await startMemoryEngine(socket, { refusal: 'no space left here' })
    const outcome = await load(['--load'], { DOCKER_HOST: `unix://${socket}` })
    assert.notEqual(outcome.status, 0)
    assert.match(outcome.stderr, /load into docker at unix:.*no space left here \(IO_FAILED\)/)
    assert.equal(engine.tags.size, 0)
  })

  it('is an error where none answers', async () => {
    const outcome = await load(['--load'], { DOCKER_HOST: `unix://${directory.file('nothing')}` })
    assert.notEqual(outcome.status, 0)
    assert.match(outcome.stderr, /docker at unix:.*ENOENT.*\(IO_FAILED\)/s)
    const unusable = await load(['--load'], { DOCKER_HOST: 'ftp://host' })
    assert.match(unusable.stderr, /invalid address of a docker daemon.*\(USAGE\)/s)
  })
})
