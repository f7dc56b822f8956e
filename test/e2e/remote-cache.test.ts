import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  busyboxBase,
  pushLayout,
  type Registry,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { writeContext } from './support/context.ts'
import { mustBuild, stepsThat } from './support/tsbuild.ts'

describe('a cache in a registry, through the command line', () => {
  let directory: TemporaryDirectory
  let registry: Registry

  before(async () => {
    directory = temporaryDirectory('remote-cache')
    registry = await startRegistry()
    await pushLayout(await busyboxBase(), `${registry.host}/busybox:latest`)
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = (name: string) => ({ root: directory.file(`store-${name}`) })
  const cacheTo = (name: string, more = ''): string =>
    `--cache-to=type=registry,ref=${registry.host}/${name}:cache${more}`
  const cacheFrom = (name: string): string =>
    `--cache-from=type=registry,ref=${registry.host}/${name}:cache`
  const digestOf = ({ stderr }: { readonly stderr: string }): string | undefined =>
    /^digest {2}(sha256:\w+)$/m.exec(stderr)?.[1]

  /** Two stages, of which the image has a part. */
  function application(name: string): string {
    return writeContext(directory.file(name), {
      Dockerfile: [
        `FROM ${registry.host}/busybox AS build`,
        'COPY source /source',
        'RUN cat /proc/uptime /source > /made && head -c 200000 /dev/urandom > /waste',
        `FROM ${registry.host}/busybox`,
        'RUN cat /proc/uptime > /first',
        'COPY --from=build /made /made',
        'RUN cat /proc/uptime > /last',
        '',
      ].join('\n'),
      source: name,
    })
  }

  /** Requests that the registry has got since, without those that ask for the base image. */
  function requestsSince(mark: number): readonly string[] {
    const lines = readFileSync(registry.log, 'utf8').slice(mark).split('\n')
    return lines.flatMap((line) => {
      const [, method, path] = /"(GET|HEAD|PUT|POST|PATCH|DELETE) (\/v2\/\S*) HTTP/.exec(line) ?? []
      return method === undefined || path?.includes('/busybox/') ? [] : [`${method} ${path}`]
    })
  }
  const mark = (): number => readFileSync(registry.log, 'utf8').length

  it('lets another machine build everything from it: nothing runs, nothing is downloaded', async () => {
    const context = application('app')
    const image = `${registry.host}/app:latest`
    const push = ['-t', image, '-o', 'type=registry']
    const made = await mustBuild([...push, cacheTo('app', ',mode=max'), context], start('app-a'))
    const before = mark()
    const found = await mustBuild([...push, cacheFrom('app'), context], start('app-b'))
    assert.deepEqual(stepsThat('DONE', found).filter(isStep), [])
    assert.equal(stepsThat('CACHED', found).filter(isStep).length, 5)
    assert.ok(digestOf(made) !== undefined)
    assert.equal(digestOf(found), digestOf(made))
    assert.doesNotMatch(found.stderr, /warning/)
    const requests = requestsSince(before)
    const downloads = requests.filter((one) => one.startsWith('GET') && one.includes('/blobs/'))
    assert.equal(downloads.length, 1, `the records, and no layer: ${requests.join('\n')}`)
    assert.ok(requests.length <= 20, requests.join('\n'))
  })

  function isStep(name: string): boolean {
    return /^\[.*\d\/\d\]/.test(name)
  }
})
