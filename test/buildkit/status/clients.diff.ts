import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import {
  capture,
  findPeers,
  type Outcome,
  type Registry,
  startBusyboxRegistry,
  unpackPeers,
} from '../../support/peers/index.ts'
import { type FedBuildOptions, FedBuilds } from './support/fed-build.ts'
import { StatusServer } from './support/status-server.ts'

describe('what clients print of a build', () => {
  let registry: Registry
  let builds: FedBuilds
  let programs: string

  before(async () => {
    const peers = findPeers()
    if (peers === undefined) throw new Error('there are no clients to ask: see findPeers')
    programs = await unpackPeers(peers)
    registry = await startBusyboxRegistry()
    builds = new FedBuilds()
  })
  after(async () => {
    builds?.[Symbol.dispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  async function buildctl(options: FedBuildOptions): Promise<Outcome> {
    const socket = join(builds.folder, 'buildctl.socket')
    await using _ = await StatusServer.start(socket, (feed) => builds.build(feed, options))
    const frontend = ['--progress', 'plain', '--frontend', 'dockerfile.v0']
    return await capture(join(programs, 'buildctl'), [
      ...['--addr', `unix://${socket}`, 'build', ...frontend],
    ])
  }

  async function buildx(options: FedBuildOptions): Promise<Outcome> {
    const socket = join(builds.folder, 'buildx.socket')
    await using _ = await StatusServer.start(socket, (feed) => builds.build(feed, options))
    const context = join(builds.folder, 'buildx-context')
    mkdirSync(context, { recursive: true })
    writeFileSync(join(context, 'Dockerfile'), options.dockerfile)
    const program = join(programs, 'docker-buildx')
    const env = { BUILDX_CONFIG: join(builds.folder, 'buildx'), DOCKER_CONFIG: builds.folder }
    const remote = ['--name', 'here', '--driver', 'remote', `unix://${socket}`]
    await capture(program, ['create', ...remote], { env })
    const output = ['--output', 'type=cacheonly', '--provenance=false']
    const flags = ['--builder', 'here', '--progress', 'plain', ...output]
    return await capture(program, ['build', ...flags, context], { env })
  }

  /** Without times and digests, in which two builds differ. */
  function plain({ stderr }: Outcome): readonly string[] {
    const text = stderr
      .replaceAll(registry.host, 'HOST')
      .replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')
      .replace(/ \d+\.\ds/g, '')
      .replace(/^(#\d+) \d+\.\d+ /gm, '$1 ')
    // A part that takes long is shown before its end, too, and a vertex when its page comes again.
    const lines = new Set(text.split('\n'))
    return [...lines].filter(
      (line) => line !== '' && !line.endsWith(' ...') && !lines.has(`${line} done`),
    )
  }

  it('is what it prints of BuildKit', async () => {
    const dockerfile = [`FROM ${registry.host}/busybox`, 'COPY f /', 'RUN cat /f', ''].join('\n')
    const outcome = await buildctl({ dockerfile, files: { f: 'text' }, tags: ['app:1'] })
    assert.equal(outcome.status, 0, outcome.stderr)
    assert.deepEqual(
      plain(outcome).filter((line) => !/^#\d+ (?:DIGEST|resolve) /.test(line)),
      [
        '#1 [internal] load build definition from Dockerfile',
        `#1 transferring dockerfile: ${29 + dockerfile.length}B done`,
        '#1 DONE',
        '#2 [internal] load .dockerignore',
        '#2 transferring context: 2B done',
        '#2 DONE',
        '#3 [internal] load build context',
        '#3 transferring context: 22B done',
        '#3 DONE',
        '#4 [internal] load metadata for HOST/busybox:latest',
        '#4 DONE',
        '#5 [1/3] FROM HOST/busybox:latest@DIGEST',
        '#5 DONE',
        '#6 [2/3] COPY f /',
        '#6 DONE',
        '#7 [3/3] RUN cat /f',
        '#7 text',
        '#7 DONE',
        '#8 exporting to image',
        '#8 exporting layers done',
        '#8 exporting manifest DIGEST done',
        '#8 exporting config DIGEST done',
        '#8 naming to docker.io/library/app:1 done',
        '#8 DONE',
      ],
    )
  })

  it('ends with the lines of the Dockerfile that failed', async () => {
    const dockerfile = [`FROM ${registry.host}/busybox`, 'RUN echo before; \\', '  exit 3'].join(
      '\n',
    )
    const outcome = await buildctl({ dockerfile })
    assert.equal(outcome.status, 1)
    const lines = plain(outcome)
    const process = 'process "/bin/sh -c echo before;   exit 3"'
    assert.ok(
      lines.some((line) =>
        line.endsWith(` ERROR: ${process} did not complete successfully: exit code: 3`),
      ),
    )
    assert.deepEqual(lines.slice(lines.indexOf('Dockerfile:2')), [
      ...['Dockerfile:2', '--------------------'],
      '   1 |     FROM HOST/busybox',
      '   2 | >>> RUN echo before; \\',
      '   3 | >>>   exit 3',
      `error: failed to solve: ${process} did not complete successfully: exit code: 3`,
    ])
  })

  it('has the warnings of checks', async () => {
    const outcome = await buildctl({
      dockerfile: 'from scratch\nENV a b\nCOPY f /',
      files: { f: '' },
    })
    assert.equal(outcome.status, 0, outcome.stderr)
    assert.deepEqual(
      plain(outcome).filter((line) => line.startsWith('#1 WARN')),
      [
        "#1 WARN: ConsistentInstructionCasing: Command 'from' should match the case of the command majority (uppercase) (line 1)",
        '#1 WARN: LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)',
      ],
    )
  })

  it('has the warnings of checks in the end with buildx', async () => {
    const { status, stderr } = await buildx({ dockerfile: 'FROM scratch\nENV a b\nENV c d' })
    assert.equal(status, 0, stderr)
    const [, summary] = stripVTControlCharacters(stderr).split(/^ (?=2 warnings found)/m)
    assert.deepEqual(summary?.split('\n').slice(1, 3).toSorted(), [
      ' - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)',
      ' - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 3)',
    ])
  })

  it('has what failed, where, and its output with buildx', async () => {
    const dockerfile = `FROM ${registry.host}/busybox\nRUN echo before; exit 3`
    const outcome = await buildx({ dockerfile })
    assert.equal(outcome.status, 1)
    const lines = outcome.stderr.replace(/^\d+\.\d+ /gm, '').split('\n')
    assert.deepEqual(lines.slice(lines.indexOf('------')), [
      ...['------', ' > [2/2] RUN echo before; exit 3:', 'before', '------', 'Dockerfile:2'],
      '--------------------',
      `   1 |     FROM ${registry.host}/busybox`,
      '   2 | >>> RUN echo before; exit 3',
      '--------------------',
      'ERROR: failed to build: failed to solve: process "/bin/sh -c echo before; exit 3" did not complete successfully: exit code: 3',
      '',
    ])
  })

  it('ends with the exit code of a cancelled build with buildx', async () => {
    const dockerfile = `FROM ${registry.host}/busybox\nRUN echo begun; sleep 60`
    const stop = new AbortController()
    const stopping = setTimeout(() => stop.abort(), 1500)
    const { status, stderr } = await buildx({ dockerfile, signal: stop.signal })
    clearTimeout(stopping)
    assert.equal(status, 130, stderr)
    assert.match(stderr, /^#\d+ CANCELED$/m)
    assert.match(stderr, /^ERROR: failed to build: failed to solve: Canceled: context canceled$/m)
  })
})
