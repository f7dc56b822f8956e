import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeContext } from '../../e2e/support/context.ts'
import { mustBuild, startTsbuild, tsbuild } from '../../e2e/support/tsbuild.ts'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
  until,
} from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'

/** How a blob gets into a repository: `mount`, or `send` for each piece of an upload with bytes. */
const WRITES = [
  ['mount', /"POST \S+[?]\S*mount=\S* HTTP\S* 201/],
  ['send', /"PATCH \S+ HTTP\S* 202/],
] as const

describe('a second repository of a registry', () => {
  let directory: TemporaryDirectory
  let hub: Registry
  let registry: Registry
  before(async () => {
    directory = temporaryDirectory('second-repository')
    hub = await startBusyboxRegistry()
    registry = await startRegistry()
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    await hub?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  /** A base from another registry, a step that leaves files, and a copy. */
  function application(name: string, ...more: readonly string[]): string {
    return writeContext(directory.file(name), {
      Dockerfile: [
        `FROM ${hub.host}/busybox`,
        'RUN cat /proc/uptime > /made',
        'COPY source /source',
        ...more,
        '',
      ].join('\n'),
      source: name,
    })
  }
  const start = (name: string) => ({ root: directory.file(`store-${name}`) })
  const size = (): number => readFileSync(registry.log, 'utf8').length
  function writesSince(mark: number): readonly string[] {
    const lines = readFileSync(registry.log, 'utf8').slice(mark).split('\n')
    return lines.flatMap((line) =>
      WRITES.flatMap(([what, form]) => (form.test(line) ? [what] : [])),
    )
  }
  /** Reads every blob of an image from its repository, and compares each with its digest. */
  async function readWhole(name: string): Promise<void> {
    const to = directory.file('read')
    rmSync(to, { recursive: true, force: true })
    const from = `docker://${registry.host}/${name}`
    await run('skopeo', ['copy', '--src-tls-verify=false', from, `dir:${to}`])
    const { layers } = JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'))
    assert.equal(layers.length, 3)
  }
  const push = (name: string) => ['-t', `${registry.host}/${name}`, '-o', 'type=registry']

  it('gets what the registry has mounted, by a build and by a push from the store', async () => {
    const at = start('pushes')
    const context = application('app')
    await mustBuild([...push('one'), context], at)
    const mark = size()
    await mustBuild([...push('two'), context], at)
    assert.deepEqual(writesSince(mark), ['mount', 'mount', 'mount'])
    await readWhole('two')
    await mustBuild(['-t', `${registry.host}/three`, context], at)
    const again = size()
    await mustBuild(['push', `${registry.host}/three`], at)
    assert.deepEqual(writesSince(again), ['mount', 'mount', 'mount'])
    await readWhole('three')
  })

  it('gets what other images have, and only the rest is sent', async () => {
    const at = start('others')
    await mustBuild([...push('first'), application('first')], at)
    const mark = size()
    await mustBuild([...push('other'), application('other')], at)
    assert.deepEqual([...writesSince(mark)].sort(), ['mount', 'mount', 'send'])
    await readWhole('other')
  })

  it('gets what another machine has pushed, from where that was pulled', async () => {
    await mustBuild([...push('shared'), application('shared')], start('shared'))
    const context = writeContext(directory.file('on-top'), {
      Dockerfile: `FROM ${registry.host}/shared\nRUN cat /made > /again\n`,
    })
    const at = start('pulled')
    // It says nothing of a registry.
    await mustBuild(['-t', 'on-top', context], at)
    const based = writeContext(directory.file('based'), { Dockerfile: 'FROM on-top\nLABEL a=b\n' })
    const mark = size()
    await mustBuild([...push('based'), based], at)
    assert.deepEqual([...writesSince(mark)].sort(), ['mount', 'mount', 'mount', 'send'])
  })

  it('gets what a cache has, and a cache what images have', async () => {
    const at = start('caches')
    const context = application('cached')
    const cache = (name: string): string => `--cache-to=${registry.host}/${name}:cache`
    await mustBuild([cache('cache/one'), context], at)
    const mark = size()
    await mustBuild([...push('cached'), context], at)
    assert.deepEqual([...writesSince(mark)].sort(), ['mount', 'mount'], 'by steps')
    const again = size()
    await mustBuild([cache('cache/two'), context], at)
    assert.deepEqual(writesSince(again), ['mount', 'mount'])
  })

  it('gets everything sent when the first one has lost it', async () => {
    const at = start('lost')
    const context = application('lost')
    await mustBuild([...push('lost/one'), context], at)
    rmSync(join(registry.storage, 'docker/registry/v2/repositories/lost/one'), { recursive: true })
    const mark = size()
    const { stderr } = await mustBuild([...push('lost/two'), context], at)
    assert.doesNotMatch(stderr, /warning/i)
    const log = readFileSync(registry.log, 'utf8').slice(mark)
    // The config, and every layer: what was packed for the first one is at hand.
    assert.equal(log.match(/"PUT \S+\/lost\/two\/blobs\/\S+ HTTP\S* 201/g)?.length, 4)
    assert.deepEqual(writesSince(mark), [])
    await readWhole('lost/two')
    const again = size()
    await mustBuild([...push('lost/three'), context], at)
    assert.deepEqual(writesSince(again), ['mount', 'mount', 'mount'], 'from the second one')
  })

  it('gets what a push has sent that was killed before its end', async () => {
    await using stalling = await MemoryRegistry.start()
    stalling.fail({ method: 'PUT', path: /manifests/, action: { kind: 'stall' } })
    const at = start('killed')
    const args = (name: string) => [
      '-t',
      `${stalling.host}/${name}`,
      '-o',
      'type=registry',
      context,
    ]
    const context = application('killed')
    const child = startTsbuild(args('one'), at)
    const ended = once(child, 'exit')
    await until(() => stalling.log.some((line) => /^PUT .*manifests/.test(line)))
    child.kill('SIGKILL')
    await ended
    stalling.requests.length = 0
    await mustBuild(args('two'), at)
    const mounted = stalling.requests.filter(({ url, status }) => {
      return url.includes('?mount=') && status === 201
    })
    assert.equal(mounted.length, 3)
    assert.ok(!stalling.requests.some(({ method }) => method === 'PATCH'))
  })

  it('is not asked for by another registry', async () => {
    await using other = await startRegistry()
    const at = start('private')
    const context = application('private')
    await mustBuild([...push('hidden/app'), context], at)
    const outcome = await tsbuild(['-t', `${other.host}/open`, '-o', 'type=registry', context], at)
    assert.equal(outcome.status, 0, outcome.stderr)
    const log = readFileSync(other.log, 'utf8')
    assert.match(log, /open/)
    assert.doesNotMatch(log, /hidden/)
  })
})
