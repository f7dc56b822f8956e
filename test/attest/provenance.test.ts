import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions } from '#builder'
import { digestOf, hexOf } from '#core'
import {
  type ForeignImage,
  foreignImage,
  foreignLayer,
  publish,
} from '../builder/build/support/images.ts'
import type { Workplace } from '../builder/build/support/workplace.ts'
import { ensurePackages, run } from '../support/peers/index.ts'
import {
  commitFiles,
  type GitServer,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../support/servers/index.ts'
import { readAttested, type Statement } from './attested-layout.ts'
import { AttestingWorkplace } from './attesting-workplace.ts'

const HOST = process.arch === 'x64' ? 'amd64' : process.arch
const SECRET = 'correct-horse-battery-staple'

describe('provenance', () => {
  let place: AttestingWorkplace
  let at: Workplace
  let web: WebServer
  let git: GitServer
  let commit: string
  let base: ForeignImage

  before(async () => {
    await ensurePackages()
    place = await AttestingWorkplace.open()
    at = place.at
    mkdirSync(at.path('served'))
    const repository = at.path('served/r.git')
    await commitFiles(repository, { a: 'A', Dockerfile: 'FROM scratch\nCOPY a /a\n' })
    const log = await run('git', ['-C', repository, 'log', '-1', '--format=%H', '--all'])
    commit = log.stdout.trim()
    git = await startGitServer(at.path('served'))
    web = await startWebServer((_request, response) => void response.end('text'))
    base = foreignImage([await foreignLayer({ x: 'X' })])
    publish(at.registry, 'base:1', base)
  })
  after(async () => {
    await web?.[Symbol.asyncDispose]()
    await git?.[Symbol.asyncDispose]()
    await at?.[Symbol.asyncDispose]()
  })

  const attested: AttestingWorkplace['attested'] = (...given) => place.attested(...given)

  async function stated(
    dockerfile: readonly string[],
    options: Partial<BuildOptions> = {},
  ): Promise<Statement> {
    const [image] = await attested(dockerfile, options)
    const [statement] = image?.statements ?? []
    if (statement === undefined) throw new Error('nothing is said')
    return statement
  }

  const dockerfile = (): readonly string[] => [
    `FROM ${at.at('base:1')} AS one`,
    'ARG VERSION=1',
    'LABEL version=$VERSION',
    `ADD ${web.origin}/file /`,
    `ADD ${git.origin}/r.git#main /r`,
    'COPY a /a',
    'FROM scratch AS two',
    'COPY --from=one /a /b',
    'COPY b /c',
  ]

  it('of mode min says what the image was made of, and of nothing else', async () => {
    const before = Date.now()
    const { predicate } = await stated(dockerfile(), {
      attestations: { provenance: { mode: 'min', builderId: 'https://builder.example/1' } },
      buildArgs: { VERSION: '2' },
    })
    const { buildDefinition, runDetails } = predicate
    const { digest } = base.manifest.descriptor
    const host = encodeURIComponent(at.registry.host)
    const sorted = (list: readonly { uri: string; digest: object }[]) =>
      list.toSorted((a, b) => (a.uri < b.uri ? -1 : 1))
    assert.deepEqual(
      sorted(buildDefinition.resolvedDependencies),
      sorted([
        { uri: `${git.origin}/r.git#main`, digest: { sha1: commit } },
        { uri: `${web.origin}/file`, digest: { sha256: hexOf(digestOf('text')) } },
        {
          uri: `pkg:docker/${host}/base@1?digest=${encodeURIComponent(digest)}&platform=linux%2F${HOST}`,
          digest: { sha256: hexOf(digest) },
        },
      ]),
    )
    assert.deepEqual(buildDefinition.externalParameters, {
      configSource: {},
      request: { frontend: 'dockerfile.v0', locals: [{ name: 'context' }, { name: 'dockerfile' }] },
    })
    assert.deepEqual(buildDefinition.internalParameters, { builderPlatform: `linux/${HOST}` })
    assert.equal(runDetails.builder.id, 'https://builder.example/1')
    const { startedOn, finishedOn, buildkit_metadata, buildkit_completeness } = runDetails.metadata
    const times = [before - 1, Date.parse(startedOn), Date.parse(finishedOn), Date.now()]
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    assert.deepEqual(buildkit_metadata, {})
    assert.deepEqual(buildkit_completeness, { request: false, resolvedDependencies: false })
  })

  it('of mode max says parameters, steps with their lines, the Dockerfile and layers', async () => {
    const [image] = await attested(dockerfile(), {
      buildArgs: { VERSION: '2', HTTP_PROXY: 'http://proxy.example:3128' },
      labels: { a: 'b' },
      target: 'two',
      attestations: { provenance: { mode: 'max', reproducible: true } },
    })
    const { buildDefinition, runDetails } = image?.statements[0]?.predicate ?? {}
    assert.deepEqual(buildDefinition.externalParameters.request.args, {
      'build-arg:VERSION': '2',
      'label:a': 'b',
      target: 'two',
    })
    const steps: readonly { id: string; inputs?: readonly string[]; op: { Op: object } }[] =
      buildDefinition.internalParameters.buildConfig.llbDefinition
    assert.deepEqual(
      steps.map(({ id }) => id),
      steps.map((_, index) => `step${index}`),
    )
    for (const [index, { inputs = [] }] of steps.entries()) {
      for (const input of inputs) assert.ok(Number(/^step(\d+):0$/.exec(input)?.[1]) < index, input)
    }
    const kinds = steps.map(({ op }) => Object.keys(op.Op)[0])
    assert.deepEqual(kinds.toSorted(), [
      ...['file', 'file', 'file', 'file', 'file'],
      ...['source', 'source', 'source', 'source', undefined],
    ])
    const { source, layers } = runDetails.metadata.buildkit_metadata
    const [info] = source.infos
    assert.equal(Buffer.from(info.data, 'base64').toString(), dockerfile().join('\n'))
    const lines = Object.values(
      source.locations as Record<
        string,
        { locations: { ranges: { start: { line: number } }[] }[] }
      >,
    ).map(({ locations }) => locations[0]?.ranges[0]?.start.line)
    assert.ok(lines.includes(8) && lines.includes(9), String(lines))
    const listed = Object.values(layers as Record<string, unknown[][]>).map(([stack]) => stack)
    const made = image?.manifest.layers ?? []
    assert.equal(made.length, 2)
    assert.deepEqual(listed, [made.slice(0, 1), made])
    assert.equal(runDetails.metadata.buildkit_reproducible, true)
    assert.equal(runDetails.metadata.buildkit_completeness.request, true)
  })

  it('has no credential in it, in whatever form', async () => {
    const [host] = [`127.0.0.1:${web.port}`]
    const dest = at.path('secrets')
    await at.build(
      [
        `FROM scratch`,
        'ARG NPM_TOKEN',
        'ARG PASSWORD_OF=abc',
        `ADD http://user:${SECRET}@${host}/one?token=${SECRET} /1`,
        `COPY <<EOF /2`,
        `url=https://user:${SECRET}@elsewhere.example/`,
        'EOF',
        `# see https://user:${SECRET}@host.example/x`,
        'COPY --from=named . /3',
      ],
      {
        outputs: [{ type: 'oci', dest, tar: false }],
        attestations: { provenance: { mode: 'max' } },
        buildArgs: {
          NPM_TOKEN: SECRET,
          PASSWORD_OF: 'abc',
          https_proxy: `http://user:${SECRET}@127.0.0.1:9`,
          REPOSITORY: `https://x:${SECRET}@git.example/r.git`,
          NO_PROXY: '127.0.0.1',
        },
        labels: { from: `https://user:${SECRET}@label.example/` },
        contexts: { named: `http://user:${SECRET}@${host}/named` },
        secrets: { id: { value: SECRET } },
      },
    )
    const [image] = readAttested(dest)
    const text = JSON.stringify(image?.statements)
    const { args } =
      image?.statements[0]?.predicate.buildDefinition.externalParameters.request ?? {}
    assert.equal(args['build-arg:NPM_TOKEN'], 'xxxxx')
    assert.equal(args['build-arg:PASSWORD_OF'], 'xxxxx')
    assert.equal(args['build-arg:REPOSITORY'], 'https://xxxxx:xxxxx@git.example/r.git')
    const encoded = [...text.matchAll(/[A-Za-z0-9+/=]{40,}/g)].map(([found]) =>
      Buffer.from(found, 'base64').toString('latin1'),
    )
    assert.ok(encoded.some((one) => one.includes('FROM scratch')))
    const forms = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('hex')]
    for (const form of forms) {
      for (const shown of [text, ...encoded]) assert.ok(!shown.includes(form), shown)
    }
    assert.ok(!text.includes(at.folder), 'no path of this machine is in it')
  })

  it('of a git context has it as the source of the Dockerfile', async () => {
    const { predicate } = await stated([], {
      context: `${git.origin}/r.git#main`,
      dockerfile: undefined,
    } as object)
    const { externalParameters, resolvedDependencies } = predicate.buildDefinition
    const resource = { uri: `${git.origin}/r.git#main`, digest: { sha1: commit } }
    assert.deepEqual(externalParameters.configSource, { ...resource, path: 'Dockerfile' })
    assert.deepEqual(resolvedDependencies, [resource])
    const { buildkit_completeness, buildkit_hermetic } = predicate.runDetails.metadata
    assert.deepEqual(buildkit_completeness, { request: true, resolvedDependencies: true })
    assert.equal(buildkit_hermetic, true)
  })

  it('names the commit that a context is at, and where it comes from', async () => {
    const folder = at.path('cloned')
    const clone = async (...args: readonly string[]) =>
      void (await run('git', ['-C', folder, ...args]))
    await run('git', ['clone', '--quiet', `${git.origin}/r.git`, folder])
    await clone('remote', 'set-url', 'origin', `https://user:${SECRET}@git.example/r.git`)
    mkdirSync(join(folder, 'sub'))
    const vcsOf = async (environment: Readonly<Record<string, string>>) => {
      const { predicate } = await withEnvironment(environment, () =>
        stated(['FROM scratch', 'LABEL a=b'], { context: join(folder, 'sub') }),
      )
      return predicate.runDetails.metadata.buildkit_metadata.vcs
    }
    assert.deepEqual(await vcsOf({}), {
      source: 'https://xxxxx:xxxxx@git.example/r.git',
      revision: commit,
      'localdir:context': 'sub',
    })
    assert.equal(await vcsOf({ BUILDX_GIT_INFO: 'false' }), undefined)
  })
})

async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  use: () => Promise<T>,
): Promise<T> {
  Object.assign(process.env, variables)
  try {
    return await use()
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
  }
}
