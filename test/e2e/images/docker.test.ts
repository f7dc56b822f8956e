import assert from 'node:assert/strict'
import {
  busyboxBase,
  type Dockerd,
  pushLayout,
  type Registry,
  startDockerd,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild } from '../support/tsbuild.ts'

describe('archives between tsbuild and docker', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  const start = () => ({ root: directory.file('store') })
  before(async () => {
    directory = temporaryDirectory('docker-archives')
    registry = await startRegistry()
    dockerd = await startDockerd()
    await pushLayout(await busyboxBase(), `${registry.host}/busybox:latest`)
  })
  after(async () => {
    await dockerd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('docker loads what is saved, packed and plain layers alike, with its ids', async () => {
    const context = directory.file('context')
    writeContext(context, {
      Dockerfile: `FROM ${registry.host}/busybox\nCOPY Dockerfile /\nRUN echo hi > /hi\n`,
    })
    await mustBuild(['-t', 'app:1', context], start())
    await mustBuild(['pull', '-q', `${registry.host}/busybox`], start())
    const tar = directory.file('saved.tar')
    await mustBuild(['save', '-o', tar, 'app:1', `${registry.host}/busybox`], start())
    const { stdout } = await dockerd.docker(['load', '-i', tar])
    assert.match(stdout, /Loaded image: app:1/)
    for (const name of ['app:1', `${registry.host}/busybox:latest`]) {
      const loaded = await dockerd.docker(['inspect', '--format', '{{.Id}}', name])
      assert.equal(loaded.stdout, await format('{{.Id}}', name))
    }
  })

  it('what docker saves is loaded, with its ids, and shown by templates as docker shows it', async () => {
    const tar = directory.file('docker.tar')
    await dockerd.docker(['save', '-o', tar, 'app:1', `${registry.host}/busybox:latest`])
    const other = { root: directory.file('loaded') }
    const { stdout } = await mustBuild(['load', '-q', '-i', tar], other)
    const names = ['app:1', `${registry.host}/busybox:latest`]
    const lines = stdout.trim().split('\n').sort()
    assert.deepEqual(lines, names.map((name) => `Loaded image: ${name}`).sort())
    for (const template of [
      '{{.Id}}',
      '{{json .Config.Env}}',
      '{{.Config.Cmd}}',
      '{{len .RootFS.Layers}}',
    ]) {
      const { stdout: ours } = await mustBuild(['inspect', '-f', template, 'app:1'], other)
      const { stdout: theirs } = await dockerd.docker(['inspect', '--format', template, 'app:1'])
      assert.equal(ours, theirs, template)
    }
    writeContext(directory.file('on-top'), { Dockerfile: 'FROM app:1\nRUN test -f /hi\n' })
    await mustBuild([directory.file('on-top')], other)
  })

  async function format(template: string, name: string): Promise<string> {
    return (await mustBuild(['inspect', '-f', template, name], start())).stdout
  }
})
