import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, pushFromStore } from '#builder'
import { digestOf, hexOf, parseIndex } from '#core'
import {
  type ForeignImage,
  foreignImage,
  foreignLayer,
  publish,
} from '../builder/build/support/images.ts'
import { Workplace } from '../builder/build/support/workplace.ts'
import { ensurePackages, run } from '../support/peers/index.ts'
import {
  commitFiles,
  type GitServer,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../support/servers/index.ts'
import { type AttestedImage, readAttested, type Statement } from './attested-layout.ts'

const HOST = process.arch === 'x64' ? 'amd64' : process.arch
const SECRET = 'correct-horse-battery-staple'

describe('provenance', () => {
  let at: Workplace
  let web: WebServer
  let git: GitServer
  let commit: string
  let base: ForeignImage

  before(async () => {
    await ensurePackages()
    at = await Workplace.open()
    at.put({ a: 'A', b: 'B' })
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

  let layouts = 0
  async function attested(
    dockerfile: readonly string[],
    options: Partial<BuildOptions>,
  ): Promise<readonly AttestedImage[]> {
    const dest = at.path(`layout-${layouts++}`)
    await at.build(dockerfile, {
      outputs: [{ type: 'oci', dest, tar: false }],
      attestations: { provenance: { mode: 'max' } },
      ...options,
    })
    return readAttested(dest)
  }

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

  it('is a manifest about the image, after it in an index', async () => {
    const tags = [at.at('app:1'), 'local']
    const [image, ...others] = await attested(['FROM scratch', 'COPY a /'], { tags })
    assert.ok(image?.about !== undefined)
    assert.deepEqual(others, [])
    const { entry, document } = image.about
    assert.deepEqual(entry.platform, { architecture: 'unknown', os: 'unknown' })
    assert.deepEqual(entry.annotations, {
      'vnd.docker.reference.digest': image.entry.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    })
    assert.equal(document.artifactType, 'application/vnd.docker.attestation.manifest.v1+json')
    assert.deepEqual(document.config, {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
      data: 'e30=',
    })
    const { platform: _, ...subject } = image.entry
    assert.deepEqual(document.subject, subject)
    const [layer] = document.layers
    assert.equal(layer?.mediaType, 'application/vnd.in-toto+json')
    assert.deepEqual(layer?.annotations, {
      'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1',
    })
    const [statement] = image.statements
    assert.equal(statement?._type, 'https://in-toto.io/Statement/v1')
    const digest = { sha256: hexOf(image.entry.digest) }
    const host = encodeURIComponent(at.registry.host)
    assert.deepEqual(statement?.subject, [
      { name: `pkg:docker/${host}/app@1?platform=linux%2F${HOST}`, digest },
      { name: `pkg:docker/local@latest?platform=linux%2F${HOST}`, digest },
    ])
  })

  it('is nothing unless it is asked for', async () => {
    const dest = at.path('plain')
    await at.build(['FROM scratch', 'COPY a /'], { outputs: [{ type: 'oci', dest, tar: false }] })
    const [root] = parseIndex(readFileSync(join(dest, 'index.json'))).manifests
    assert.equal(root?.mediaType, 'application/vnd.oci.image.manifest.v1+json')
  })

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

  it('is said of each image of an index', async () => {
    const images = await attested(['FROM scratch', 'COPY a /'], {
      platform: ['linux/amd64', 'linux/arm64'],
    })
    assert.deepEqual(
      images.map(({ entry, statements }) => [
        entry.platform?.architecture,
        statements[0]?.subject[0]?.name,
        statements[0]?.subject[0]?.digest.sha256,
      ]),
      images.map(({ entry }, index) => [['amd64', 'arm64'][index], '_', hexOf(entry.digest)]),
    )
    assert.notEqual(images[0]?.about?.entry.digest, images[1]?.about?.entry.digest)
  })

  it('follows an image that is pushed later, whose layers are packed then', async () => {
    const name = at.at('later:1')
    const stored = await at.build(['FROM scratch', 'COPY a /later'], {
      tags: [name],
      attestations: { provenance: { mode: 'min' }, sbom: { formats: ['spdx'] } },
    })
    const { descriptor } = await pushFromStore({ name, root: at.path('store') })
    assert.notEqual(descriptor.digest, stored.digest)
    const dest = at.path('pulled')
    await run('skopeo', [
      ...['--insecure-policy', 'copy', '--all', '--quiet', '--src-tls-verify=false'],
      ...['--preserve-digests', `docker://${name}`, `oci:${dest}:1`],
    ])
    const [image, ...others] = readAttested(dest)
    assert.ok(image !== undefined)
    assert.deepEqual(others, [])
    assert.deepEqual(
      image.statements.map(({ predicateType, subject }) => [predicateType, subject[0]?.digest]),
      ['https://slsa.dev/provenance/v1', 'https://spdx.dev/Document'].map((type) => {
        return [type, { sha256: hexOf(image.entry.digest) }]
      }),
    )
  })

  it('of files is a file beside them, about each of them', async () => {
    const dest = at.path('files')
    const outputs = [{ type: 'local', dest, mode: 'delete' }] as const
    const attestations = { provenance: { mode: 'min' } } as const
    const options = { outputs, attestations, allow: ['buildx.local.delete'] } as const
    await at.build(['FROM scratch', 'COPY a b /d/'], options)
    assert.deepEqual(readdirSync(dest), ['d', 'provenance.json'])
    const statement = JSON.parse(readFileSync(join(dest, 'provenance.json'), 'utf8')) as Statement
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    assert.deepEqual(statement.subject, [
      { name: 'd/a', digest: { sha256: sha256('A') } },
      { name: 'd/b', digest: { sha256: sha256('B') } },
    ])
    await assert.rejects(at.build(['FROM scratch', 'COPY a /provenance.json'], options), {
      code: 'USAGE',
    })
    const tar = at.path('files.tar')
    await at.build(['FROM scratch', 'COPY a /provenance.json'], {
      outputs: [{ type: 'tar', dest: tar }],
      attestations: { provenance: { mode: 'min', filename: 'other.json' } },
    })
    const { stdout } = await run('tar', ['tf', tar])
    assert.deepEqual(stdout.trim().split('\n').toSorted(), ['other.json', 'provenance.json'])
    assert.equal(existsSync(join(dest, 'd/a')), true)
  })

  it('is refused where it cannot be meant', async () => {
    const ask = (attestations: object) =>
      assert.rejects(at.build(['FROM scratch'], { attestations } as object), { code: 'USAGE' })
    await ask({ provenance: { mode: 'most' } })
    await ask({ provenance: { mode: 'min', filename: '../x' } })
    await ask({ sbom: { formats: [] } })
    await ask({ sbom: { formats: ['text'] } })
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
