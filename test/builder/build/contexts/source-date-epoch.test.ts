import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { hexOf } from '#core'
import { ensurePackages, run } from '../../../support/peers/index.ts'
import {
  commitFiles,
  type GitServer,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../../../support/servers/index.ts'
import { foreignLayer } from '../support/images.ts'
import { Workplace } from '../support/workplace.ts'

const DATE = 'Tue, 15 Sep 2020 12:00:00 GMT'
const DATED = '1600171200'
/** Of the files in an archive; see `foreignLayer`. */
const PACKED = '1000000000'

const DOCKERFILE = [
  'FROM scratch',
  'ARG SOURCE_DATE_EPOCH',
  'ENV e=$SOURCE_DATE_EPOCH-',
  'COPY a /a',
]

/** The Dockerfile comes with the context. */
const FETCHED = { dockerfile: undefined } as object

describe('a name for SOURCE_DATE_EPOCH', () => {
  let at: Workplace
  let web: WebServer
  let git: GitServer
  let committed: string

  before(() => ensurePackages())
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A' })
    mkdirSync(at.path('served'))
    const repository = at.path('served/r.git')
    await commitFiles(repository, { a: 'A', Dockerfile: DOCKERFILE.join('\n') })
    committed = (
      await run('git', ['-C', repository, 'log', '-1', '--format=%ct', '--all'])
    ).stdout.trim()
    git = await startGitServer(at.path('served'))
    const archive = (await foreignLayer({ a: 'A', Dockerfile: DOCKERFILE.join('\n') }, 'none'))
      .bytes
    const bodies: Readonly<Record<string, Buffer>> = {
      '/packed.tar.gz': gzipSync(archive),
      '/packed.tar': archive,
      '/text': Buffer.from('text'),
      '/zipped': gzipSync('text'),
      '/Dockerfile': Buffer.from('FROM scratch\nARG SOURCE_DATE_EPOCH\nENV e=$SOURCE_DATE_EPOCH-'),
    }
    web = await startWebServer((request, response) => {
      const [, dated, name = ''] = /^(\/dated)?(\/.*)$/.exec(request.url ?? '') ?? []
      response.writeHead(200, dated === undefined ? {} : { 'last-modified': DATE })
      response.end(bodies[name])
    })
  })
  afterEach(async () => {
    await web[Symbol.asyncDispose]()
    await git[Symbol.asyncDispose]()
    await at[Symbol.asyncDispose]()
  })

  /** What the stage knows of the time, and the time of the image in seconds. */
  async function epochOf(
    dockerfile: readonly string[] | undefined,
    options: Parameters<Workplace['build']>[1],
  ): Promise<readonly string[]> {
    const dest = at.path(`out${Math.random()}`)
    const built = await at.build(dockerfile ?? '', {
      ...(dockerfile === undefined ? FETCHED : {}),
      outputs: [{ type: 'oci', dest, tar: false }],
      ...options,
    })
    const id = built.imageId
    assert.ok(id !== undefined)
    const config = JSON.parse(readFileSync(`${dest}/blobs/sha256/${hexOf(id)}`, 'utf8'))
    const known = config.config.Env.find((line: string) => line.startsWith('e=')).slice(2, -1)
    return [known, String(Date.parse(config.created) / 1000)]
  }

  const named = (SOURCE_DATE_EPOCH: string) => ({ buildArgs: { SOURCE_DATE_EPOCH } })

  async function isNow(found: Promise<readonly string[]>): Promise<void> {
    const [known, created = ''] = await found
    assert.equal(known, '')
    assert.ok(Math.abs(Number(created) - Date.now() / 1000) < 600)
  }

  it('that is `context` gives the time of the commit, of the file, or of the newest in an archive', async () => {
    const of = (context: string) => epochOf(undefined, { context, ...named('context') })
    assert.deepEqual(await of(`${git.origin}/r.git`), [committed, committed])
    assert.deepEqual(await of(`${web.origin}/packed.tar.gz`), [PACKED, PACKED])
    assert.deepEqual(await of(`${web.origin}/dated/packed.tar.gz`), [DATED, DATED])
    assert.deepEqual(await of(`${web.origin}/dated/Dockerfile`), [DATED, DATED])
    await isNow(of(`${web.origin}/Dockerfile`))
    await isNow(epochOf(DOCKERFILE, named('context')))
  })

  it('of a context gives its time', async () => {
    const of = (source: string) =>
      epochOf(DOCKERFILE, { contexts: { 'from/here': source }, ...named('from/here') })
    assert.deepEqual(await of(`${git.origin}/r.git`), [committed, committed])
    assert.deepEqual(await of(`${web.origin}/packed.tar`), [PACKED, PACKED])
    assert.deepEqual(await of(`${web.origin}/dated/text`), [DATED, DATED])
    await isNow(of(`${web.origin}/text`))
    await isNow(of(at.path('context')))
    await isNow(of('docker-image://scratch'))
  })

  it('of a stage gives the time of what it fetches, whether the stage is built or not', async () => {
    const stage = (add: string) => [
      'ARG host',
      'FROM scratch AS When',
      'ARG path=/dated/text host',
      `ADD ${add}`,
      ...DOCKERFILE,
    ]
    const of = (add: string, SOURCE_DATE_EPOCH = 'wHen') =>
      epochOf(stage(add), { buildArgs: { SOURCE_DATE_EPOCH, host: web.origin } })
    assert.deepEqual(await of('$host$path /'), [DATED, DATED])
    assert.deepEqual(await of('$host/packed.tar.gz /x'), [PACKED, PACKED])
    assert.deepEqual(await of(`${git.origin}/r.git /`), [committed, committed])
    await isNow(of('$host/zipped /'))
    const global = ['ARG SOURCE_DATE_EPOCH=when', ...stage('$host$path /')]
    const found = await epochOf(global, { buildArgs: { host: web.origin } })
    assert.deepEqual(found, [DATED, DATED])
  })

  const refused: Readonly<Record<string, readonly string[]>> = {
    'must use FROM scratch': ['FROM other AS when', 'ADD http://127.0.0.1/x /'],
    'does not meet source-only requirements: unsupported RUN instruction': [
      ...['FROM scratch AS when', 'ADD http://127.0.0.1/x /', 'RUN x'],
    ],
    'must contain exactly one remote ADD': ['FROM scratch AS when', 'ARG x'],
    'must contain exactly one remote ADD source': [
      ...['FROM scratch AS when', 'ADD http://127.0.0.1/x http://127.0.0.1/y /'],
    ],
    'source must be a single HTTP(S) or Git ADD': ['FROM scratch AS when', 'ADD a /'],
  }
  for (const [message, lines] of Object.entries(refused)) {
    it(`is not a stage that ${message}`, async () => {
      await assert.rejects(at.build([...lines, ...DOCKERFILE], named('when')), {
        code: 'DOCKERFILE_INVALID',
        message: `SOURCE_DATE_EPOCH stage ${message}`,
      })
    })
  }

  it('or a number gives the files of a commit its time', async () => {
    const dest = at.path('files')
    const outputs = [{ type: 'oci', dest, tar: false, compression: 'uncompressed' }] as const
    const context = `${git.origin}/r.git`
    const { layers } = await at.build('', { ...FETCHED, context, outputs, ...named('5') })
    const [layer = ''] = layers.map(({ diffId }) => diffId.slice('sha256:'.length))
    const { stdout } = await run('tar', ['-tvf', `${dest}/blobs/sha256/${layer}`, '--full-time'])
    assert.match(stdout, / 2020-09-13 \d\d:\d\d:\d\d a$/m)
  })

  it('that nothing has is refused', async () => {
    await assert.rejects(at.build(DOCKERFILE, named('nothing')), {
      code: 'USAGE',
      message: 'invalid SOURCE_DATE_EPOCH: nothing',
    })
  })
})
