import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import {
  compareImages,
  type Dockerd,
  type ReadImage,
  type Registry,
  readImage,
  run,
  startBusyboxRegistry,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { writeContext } from './support/context.ts'
import { FIXTURES, mustBuild } from './support/tsbuild.ts'

/** Every stage of one Dockerfile of hard cases, built by tsbuild and by BuildKit. */
describe('what layers find hard', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let registry: Registry
  let dockerd: Dockerd
  let context: string

  before(async () => {
    directory = temporaryDirectory('corners')
    registry = await startBusyboxRegistry()
    dockerd = await startDockerd()
    context = directory.file('context')
    cpSync(`${FIXTURES}/e2e/corners`, context, { recursive: true, verbatimSymlinks: true })
    await writeArchive()
  })

  after(async () => {
    await dockerd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  async function writeArchive(): Promise<void> {
    const packed = writeContext(directory.file('packed'), { 'in/side': 'inside\n', top: 'top\n' })
    const owner = ['--owner=11', '--group=12', '--numeric-owner']
    await run('tar', ['-czf', `${context}/archive.tar.gz`, ...owner, '-C', packed, 'in', 'top'])
    mkdirSync(directory.file('store'))
  }

  const flags = (target: string): string[] => [
    ...['--build-arg', `BASE=${registry.host}/busybox:latest`, '--build-arg', 'COLOR=blue'],
    ...['--label', 'added=on the command line', ...(target === '' ? [] : ['--target', target])],
  ]

  async function theirs(target: string, name: string): Promise<ReadImage> {
    const image = `${registry.host}/${name}:latest`
    await dockerd.build([...flags(target), '-t', image, context])
    await dockerd.docker(['push', '--quiet', image])
    return await readImage(`docker://${image}`, directory.path, name)
  }

  async function ours(target: string, name: string): Promise<ReadImage> {
    const image = `${registry.host}/${name}:latest`
    const start = { root: directory.file('store') }
    await mustBuild([...flags(target), '-t', image, '--push', context], start)
    return await readImage(`docker://${image}`, directory.path, name)
  }

  for (const [target, path] of [
    ['files', '/made/opaque/new'],
    ['copies', '/work/archive/in/side'],
    ['mounts', '/seen-context'],
    ['', '/paint'],
  ] as const) {
    it(`is the same as BuildKit's: ${target === '' ? 'the last stage' : target}`, async () => {
      const image = await ours(target, `ours${target}`)
      assert.ok(image.tree.has(path))
      assert.deepEqual(compareImages(image, await theirs(target, `theirs${target}`)), [])
    })
  }
})
