import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Buildkitd,
  type Dockerd,
  findPeers,
  type Registry,
  run,
  startBuildkitd,
  startBusyboxRegistry,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
  unpackPeers,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild } from '../support/tsbuild.ts'

const folder = findPeers()

describe("images between tsbuild and today's docker, containerd and BuildKit", function () {
  this.timeout(300_000)
  const stack = new AsyncDisposableStack()
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  let buildkitd: Buildkitd
  let programs: string
  let address: string
  before(async function () {
    if (folder === undefined) this.skip()
    programs = await unpackPeers(folder)
    directory = stack.use(temporaryDirectory('todays'))
    registry = stack.use(await startBusyboxRegistry())
    const state = temporaryDirectory('dockerd')
    address = state.file('exec/containerd/containerd.sock')
    dockerd = stack.use(await startDockerd({ programs, directory: state }))
    buildkitd = stack.use(await startBuildkitd(programs))
    writeContext(directory.file('context'), {
      Dockerfile: `FROM ${registry.host}/busybox\nCOPY note /note\n`,
      note: 'a note\n',
    })
  })
  after(() => stack.disposeAsync())

  const image = (tag: string) => `${registry.host}/app:${tag}`
  const start = () => ({ root: directory.file('store') })
  const context = () => directory.file('context')

  for (const options of [
    'compression=gzip',
    'compression=zstd,force-compression=true',
    'compression=uncompressed,force-compression=true',
    'oci-mediatypes=false',
    'annotation.a=b,annotation-manifest-descriptor.c=d',
  ]) {
    it(`docker pulls ${options}, and tsbuild builds on what it pushes`, async () => {
      const tag = options.replaceAll(/[^a-z]/g, '-')
      await mustBuild(['-t', image(tag), '-o', `type=registry,${options}`, context()], start())
      await dockerd.docker(['pull', '-q', image(tag)])
      await dockerd.docker(['tag', image(tag), image(`${tag}-again`)])
      await dockerd.docker(['push', '-q', image(`${tag}-again`)])
      await builds(image(`${tag}-again`))
    })
  }

  for (const [type, options] of [
    ['oci', 'compression=zstd,force-compression=true'],
    ['docker', 'compression=gzip'],
  ] as const) {
    it(`ctr imports type=${type}, whole`, async () => {
      const file = directory.file(`${type}.tar`)
      const name = `${registry.host}/${type}:1`
      await mustBuild(
        ['-t', name, '-o', `type=${type},${options},dest=${file}`, context()],
        start(),
      )
      const ctr = (...args: readonly string[]) =>
        run(join(programs, 'ctr'), ['--address', address, '--namespace', 'imported', ...args])
      await ctr('images', 'import', file)
      const { stdout } = await ctr('images', 'check', `name==${name}`)
      assert.match(stdout, /complete/)
    })
  }

  it('tsbuild builds on an index with attestations of BuildKit, and copies it as it is', async () => {
    const name = image('attested')
    const output = `type=image,name=${name},push=true`
    const attested = ['--opt', 'attest:provenance=mode=max', '--output', output]
    await buildkitd.build(context(), attested)
    await builds(name)
    await mustBuild(['copy', name, image('copied')], start())
    const raw = async (one: string) =>
      (await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${one}`])).stdout
    const index = await raw(name)
    assert.match(index, /attestation-manifest/)
    assert.equal(await raw(image('copied')), index)
  })

  /** A build on an image has its files. */
  async function builds(name: string): Promise<void> {
    const dockerfile = { Dockerfile: `FROM ${name}\nCOPY --from=${name} /note /again\n` }
    const onTop = writeContext(directory.file('on-top'), dockerfile)
    const dest = directory.file('files')
    await mustBuild(['-q', '-o', dest, onTop], { root: directory.file('other') })
    assert.equal(readFileSync(`${dest}/again`, 'utf8'), 'a note\n')
  }
})
