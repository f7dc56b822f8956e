import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import {
  busyboxBase,
  copyImage,
  pushLayout,
  type Registry,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'
import { rawManifest } from './skopeo.ts'

interface Listed {
  readonly mediaType: string
  readonly digest: string
  readonly platform?: { readonly architecture: string }
  readonly annotations?: Readonly<Record<string, string>>
}

describe('tsbuild index and search', () => {
  let directory: TemporaryDirectory
  let one: Registry
  let two: Registry
  const start = () => ({ root: directory.file('store') })
  before(async () => {
    directory = temporaryDirectory('index')
    one = await startRegistry()
    two = await startRegistry()
    await pushLayout(await busyboxBase(), `${one.host}/busybox:latest`)
    const context = directory.file('context')
    writeContext(context, { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })
    for (const arch of ['amd64', 'arm64', 's390x']) {
      const flags = ['--platform', `linux/${arch}`, '-t', `${one.host}/part:${arch}`]
      await mustBuild([...flags, '--push', context], start())
    }
  })
  after(async () => {
    await one?.[Symbol.asyncDispose]()
    await two?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const part = (arch: string) => `${one.host}/part:${arch}`
  const create = (...args: readonly string[]) => mustBuild(['index', 'create', ...args], start())

  async function listed(name: string): Promise<readonly Listed[]> {
    const { document } = await rawManifest(`docker://${name}`)
    return (document.manifests ?? []) as readonly Listed[]
  }

  it('makes an index elsewhere, whose images skopeo copies by their platforms', async () => {
    const name = `${two.host}/app:1`
    const { stdout } = await create('-q', '-t', name, part('amd64'), part('arm64'))
    const { digest } = await rawManifest(`docker://${name}`)
    assert.equal(stdout, `${digest}\n`)
    const manifests = await listed(name)
    assert.deepEqual(
      manifests.map(({ platform }) => platform?.architecture),
      ['amd64', 'arm64'],
    )
    const digests = [part('amd64'), part('arm64')].map(async (source) => {
      return (await rawManifest(`docker://${source}`)).digest
    })
    assert.deepEqual(
      manifests.map((entry) => entry.digest),
      await Promise.all(digests),
    )
    await copyImage(`docker://${name}`, `oci:${directory.file('read')}:x`)
  })

  it('appends a platform, and replaces the image of one', async () => {
    const name = `${two.host}/app:2`
    await create('-t', name, part('amd64'), part('arm64'))
    await create('--append', '-t', name, part('s390x'))
    assert.equal((await listed(name)).length, 3)
    await create('--append', '-t', name, `${one.host}/busybox:latest`)
    const manifests = await listed(name)
    assert.equal(manifests.length, 3)
    const { digest } = await rawManifest(`docker://${one.host}/busybox:latest`)
    assert.ok(manifests.some((entry) => entry.digest === digest))
  })

  it('copies one index as it is, and chooses platforms of it', async () => {
    const name = `${two.host}/app:3`
    await create('-t', name, part('amd64'), part('arm64'))
    const same = `${one.host}/same:1`
    await create('-t', same, name)
    assert.deepEqual(await rawManifest(`docker://${same}`), await rawManifest(`docker://${name}`))
    const some = `${one.host}/some:1`
    await create('-t', some, '--platform', 'linux/arm64', name)
    assert.equal((await listed(some)).length, 1)
    const none = ['index', 'create', '-t', some, '--platform', 'linux/riscv64', name]
    const refused = await tsbuild(none, start())
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /no source has an image for linux\/riscv64/)
  })

  it('shows what it would make, annotated, and writes nothing', async () => {
    const name = `${two.host}/dry:1`
    const notes = ['--annotation', 'index:a=b', '--annotation', 'manifest-descriptor:c=d']
    const { stdout } = await create('--dry-run', '-t', name, ...notes, part('amd64'))
    const index = JSON.parse(stdout)
    assert.deepEqual(index.annotations, { a: 'b' })
    assert.deepEqual(index.manifests[0].annotations, { c: 'd' })
    await assert.rejects(rawManifest(`docker://${name}`))
    const refused = await tsbuild(
      ['index', 'create', '-t', name, '--annotation', 'a=b', part('amd64')],
      start(),
    )
    assert.match(refused.stderr, /write index:KEY=VALUE/)
  })

  it('searches the catalog of a registry that has no other search', async () => {
    const { stdout } = await mustBuild(['search', `${one.host}/par`], start())
    assert.equal(
      stdout.replaceAll(/ +/g, ' '),
      `NAME DESCRIPTION STARS OFFICIAL\n${one.host}/part 0\n`,
    )
    const json = await mustBuild(['search', '--format=json', `${one.host}/`], start())
    const names = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).Name)
    assert.ok(names.includes(`${one.host}/busybox`))
    const limited = await mustBuild(['search', '--limit=1', `${one.host}/`], start())
    assert.equal(limited.stdout.trim().split('\n').length, 2)
    const refused = await tsbuild(['search', '--limit=0', `${one.host}/`], start())
    assert.match(refused.stderr, /outside the range/)
  })

  it("searches with docker's form where the registry answers it", async () => {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://x')
      response.setHeader('content-type', 'application/json')
      if (url.pathname !== '/v1/search') return void response.end('{}')
      const description = `about ${url.searchParams.get('q')} ${'x'.repeat(60)}`
      const all = [
        { name: 'redis', description, star_count: 7, is_official: true },
        { name: 'me/redis', description: '', star_count: 1, is_official: false },
      ]
      response.end(JSON.stringify({ results: all.slice(0, Number(url.searchParams.get('n'))) }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const address = server.address()
      const port = typeof address === 'object' ? address?.port : undefined
      const { stdout } = await mustBuild(['search', `127.0.0.1:${port}/redis`], start())
      assert.match(stdout, /\/redis +about redis x+… +7 +\[OK\]\n.*\/me\/redis +1\n$/)
      const few = await mustBuild(
        ['search', '--filter=stars=2', '--format=json', `127.0.0.1:${port}/redis`],
        start(),
      )
      assert.equal(few.stdout.trim().split('\n').length, 1)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })
})
