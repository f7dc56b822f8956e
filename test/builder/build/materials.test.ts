import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import type { Material } from '#builder'
import { digestOf, formatPlatform, hostPlatform } from '#core'
import { ensurePackages, run } from '../../support/peers/index.ts'
import {
  commitFiles,
  type GitServer,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../../support/servers/index.ts'
import {
  type ForeignImage,
  foreignImage,
  foreignLayer,
  publish,
  publishIndex,
} from './support/images.ts'
import { Workplace } from './support/workplace.ts'

const HOST = formatPlatform(hostPlatform())
/** The Dockerfile comes with the context. */
const FETCHED = { dockerfile: undefined } as object

describe('the materials of a build', () => {
  let at: Workplace
  let web: WebServer
  let git: GitServer
  let commit: string
  let base: ForeignImage
  let archive: Buffer

  before(() => ensurePackages())
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A' })
    mkdirSync(at.path('served'))
    const repository = at.path('served/r.git')
    await commitFiles(repository, { a: 'A', Dockerfile: 'FROM scratch\nCOPY a /a\n' })
    commit = (await run('git', ['-C', repository, 'log', '-1', '--format=%H', '--all'])).stdout
    git = await startGitServer(at.path('served'))
    archive = (await foreignLayer({ Dockerfile: 'FROM scratch\nCOPY . /' }, 'gzip')).bytes
    web = await startWebServer((request, response) => {
      const isArchive = request.url?.startsWith('/context.tar.gz') === true
      response.end(isArchive ? archive : 'text')
    })
    base = foreignImage([await foreignLayer({ x: 'X' })])
    publish(at.registry, 'base:1', base)
  })
  afterEach(async () => {
    await web[Symbol.asyncDispose]()
    await git[Symbol.asyncDispose]()
    await at[Symbol.asyncDispose]()
  })

  const image = (name: string, made: ForeignImage): Material => ({
    kind: 'image',
    reference: `${at.at(name)}@${made.manifest.descriptor.digest}`,
    digest: made.manifest.descriptor.digest,
    platform: HOST,
  })
  const file = (path: string, content: string | Buffer): Material => ({
    kind: 'http',
    reference: `${web.origin}${path}`,
    digest: digestOf(content),
  })
  const repository = (ref: string): Material => ({
    kind: 'git',
    reference: `${git.origin}/r.git${ref}`,
    digest: commit.trim(),
  })

  it('are images, files and commits, each once and without credentials', async () => {
    const withUser = `http://user:secret@127.0.0.1:${web.port}/file?token=secret`
    const text = [
      `FROM ${at.at('base:1')} AS one`,
      `FROM ${at.at('base:1')}`,
      `ADD ${withUser} /`,
      `ADD ${withUser} /again`,
      `ADD ${git.origin}/r.git /r`,
      'COPY --from=one x /y',
      `COPY --from=${at.at('base:1')} x /z`,
      'COPY a /a',
    ]
    const expected = [repository(''), { ...file('/file?…', 'text') }, image('base:1', base)]
    const first = await at.build(text)
    assert.deepEqual(first.materials, expected)
    const cached = await at.build(text)
    assert.equal(cached.steps.cached, cached.steps.total)
    assert.deepEqual(cached.materials, expected)
  })

  it('are none where everything is here', async () => {
    assert.deepEqual((await at.build(['FROM scratch', 'COPY a /a'])).materials, [])
  })

  it('are not those of stages that are not built', async () => {
    const text = [`FROM ${at.at('base:1')}`, `ADD ${web.origin}/file /`, 'FROM scratch', 'COPY a /']
    assert.deepEqual((await at.build(text)).materials, [])
  })

  it('hold the context, the Dockerfile and named contexts that are fetched', async () => {
    const named = {
      files: `${git.origin}/r.git#main`,
      other: `docker-image://${at.at('base:1')}`,
      single: `${web.origin}/single`,
      folder: at.path('context'),
    }
    const dockerfile = [
      'FROM other',
      'COPY --from=files a /a',
      'COPY --from=single . /single',
      'COPY --from=folder a /b',
    ]
    const built = await at.build(dockerfile, { contexts: named })
    assert.deepEqual(built.materials, [
      repository('#main'),
      file('/single', 'text'),
      image('base:1', base),
    ])
    const cloned = await at.build('', { context: `${git.origin}/r.git`, ...FETCHED })
    assert.deepEqual(cloned.materials, [repository('')])
    const downloaded = await at.build('', { context: `${web.origin}/context.tar.gz`, ...FETCHED })
    assert.deepEqual(downloaded.materials, [file('/context.tar.gz', archive)])
  })

  it('tell the platforms of an image apart', async () => {
    const platforms = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ]
    const layers = [await foreignLayer({ x: 'X' })]
    const images = platforms.map((platform) => foreignImage(layers, { platform }))
    publishIndex(at.registry, 'multi:1', { images })
    const index = digestOf(at.registry.manifest('multi', '1')?.bytes ?? Buffer.alloc(0))
    const text = [`FROM ${at.at('multi:1')}`, 'COPY a /a']
    const { materials } = await at.build(text, { platform: platforms.map(formatPlatform) })
    assert.deepEqual(
      materials,
      images.map(({ manifest }, position) => ({
        kind: 'image',
        reference: `${at.at('multi:1')}@${index}`,
        digest: manifest.descriptor.digest,
        platform: formatPlatform(platforms[position] ?? hostPlatform()),
      })),
    )
  })
})
