import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeContext } from '../../e2e/support/context.ts'
import { mustBuild, stepsThat, tsbuild } from '../../e2e/support/tsbuild.ts'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'

describe('layers that are left in a registry by --push', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let context: string
  before(async () => {
    directory = temporaryDirectory('left-elsewhere')
    registry = await startBusyboxRegistry()
    context = writeContext(directory.file('app'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox`,
        'COPY source /source',
        'RUN cat /proc/uptime /source > /made',
        'LABEL a=b',
        '',
      ].join('\n'),
      source: 'source',
    })
    const cache = `--cache-to=type=registry,ref=${registry.host}/cache:main,mode=max`
    await mustBuild([cache, context], start('maker'))
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = (name: string) => ({ root: directory.file(`store-${name}`) })
  const at = (name: string): string => `${registry.host}/${name}`
  /** Builds from the cache, and pushes, with a store of its own. */
  async function push(name: string): Promise<ReturnType<typeof start>> {
    const store = start(name)
    const from = `--cache-from=${at('cache:main')}`
    const outcome = await mustBuild(['-t', at(name), '--push', from, context], store)
    assert.deepEqual(stepsThat('DONE', outcome), [])
    assert.doesNotMatch(outcome.stderr, /warning/i)
    return store
  }
  const mark = (): number => readFileSync(registry.log, 'utf8').length
  /** Digests of blobs that were downloaded since. */
  function downloads(since: number): readonly string[] {
    const lines = readFileSync(registry.log, 'utf8').slice(since).split('\n')
    return lines.flatMap(
      (line) => /"GET \S+\/blobs\/(sha256:\w+) HTTP\S* 200/.exec(line)?.[1] ?? [],
    )
  }
  async function layersOf(name: string): Promise<readonly string[]> {
    const inspect = ['inspect', '--tls-verify=false', `docker://${at(name)}`]
    return JSON.parse((await run('skopeo', inspect)).stdout).Layers
  }
  const blobsIn = ({ root }: ReturnType<typeof start>): readonly string[] =>
    readdirSync(join(root, 'blobs/sha256'))

  it('are not downloaded, and the image is in the store nevertheless', async () => {
    const before = mark()
    const store = await push('left')
    const layers = await layersOf('left')
    assert.equal(layers.length, 3)
    const fetched = downloads(before)
    assert.ok(fetched.length > 0, 'records and configs are')
    assert.deepEqual(
      fetched.filter((digest) => layers.includes(digest)),
      [],
    )
    const { stdout } = await mustBuild(['images'], store)
    assert.match(stdout, /\/left +latest /)
    const [inspected] = JSON.parse((await mustBuild(['inspect', at('left')], store)).stdout)
    assert.deepEqual(
      inspected.layers.map(({ elsewhere }: { readonly elsewhere?: string }) => elsewhere),
      [at('busybox'), at('cache'), at('cache')],
    )
    const verified = await mustBuild(['store', 'verify'], store)
    assert.match(verified.stdout, / is sound: .*, and 3 layers left in registries$/m)
  })

  it('are fetched by what looks into them, once', async () => {
    const store = await push('base')
    const layers = await layersOf('base')
    const on = writeContext(directory.file('on'), {
      Dockerfile: `FROM ${at('base')}\nRUN cat /source /made > /both\n`,
    })
    const before = mark()
    const dest = directory.file('files')
    await mustBuild(['-o', dest, on], store)
    assert.deepEqual([...downloads(before)].sort(), [...layers].sort())
    assert.match(readFileSync(join(dest, 'both'), 'utf8'), /^source/)
    const again = mark()
    await mustBuild(['-o', dest, '--no-cache', on], store)
    assert.deepEqual(downloads(again), [])
  })

  it('are fetched for an image that is not pushed, which has all of them', async () => {
    const store = await push('derived-base')
    const on = writeContext(directory.file('derived'), {
      Dockerfile: `FROM ${at('derived-base')}\nLABEL c=d\n`,
    })
    await mustBuild(['-t', 'derived', on], store)
    const layers = await layersOf('derived-base')
    const blobs = blobsIn(store)
    for (const digest of layers) assert.ok(blobs.includes(digest.replace('sha256:', '')), digest)
    const copy = [
      'copy',
      `oci:${store.root}:docker.io/library/derived:latest`,
      `dir:${directory.file('dir')}`,
    ]
    await run('skopeo', copy)
    const verified = await mustBuild(['store', 'verify'], store)
    assert.doesNotMatch(verified.stdout, /left in registries/)
    const { stdout } = await mustBuild(['inspect', at('derived-base')], store)
    assert.doesNotMatch(stdout, /elsewhere/)
  })

  it('are pushed to a second repository and another registry from where they are', async () => {
    const store = await push('pushed')
    await mustBuild(['tag', at('pushed'), at('pushed/again')], store)
    const before = mark()
    await mustBuild(['push', at('pushed/again')], store)
    assert.deepEqual(downloads(before), [])
    assert.deepEqual(await layersOf('pushed/again'), await layersOf('pushed'))
    await using other = await startBusyboxRegistry()
    await mustBuild(['tag', at('pushed'), `${other.host}/app`], store)
    await mustBuild(['push', `${other.host}/app`], store)
    const inspect = ['inspect', '--tls-verify=false', `docker://${other.host}/app`]
    assert.deepEqual(
      JSON.parse((await run('skopeo', inspect)).stdout).Layers,
      await layersOf('pushed'),
    )
  })

  it('are found where else they were seen, and are an error when they are gone', async () => {
    const [one, two] = [await push('one'), await push('two')]
    const build = (name: string): readonly string[] => {
      const dockerfile = `FROM ${at(name)}\nRUN cat /made > /again\n`
      const folder = writeContext(directory.file(`on-${name}`), { Dockerfile: dockerfile })
      return ['-o', directory.file(`from-${name}`), folder]
    }
    const repositories = join(registry.storage, 'docker/registry/v2/repositories')
    const lose = (name: string): void =>
      rmSync(join(repositories, name, '_layers'), { recursive: true })
    for (const name of ['cache', 'busybox']) lose(name)
    await mustBuild(build('one'), one)
    for (const name of readdirSync(repositories)) {
      if (name !== 'cache' && name !== 'busybox') lose(name)
    }
    const { status, stderr } = await tsbuild(build('two'), two)
    assert.equal(status, 1)
    assert.match(stderr, /was left in \S+\/(cache|busybox), which does not have it any more/)
    assert.match(stderr, /build the image again/)
    assert.doesNotMatch(stderr, /^ +at /m)
  })
})
