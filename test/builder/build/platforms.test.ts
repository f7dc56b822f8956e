import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { type BuildEvent, pushFromStore } from '#builder'
import { hostPlatform } from '#core'
import { run } from '../../support/peers/index.ts'
import { commitFiles, startGitServer, startWebServer } from '../../support/servers/index.ts'
import { foreignImage, foreignLayer, publish, publishIndex } from './support/images.ts'
import { namesOf, Workplace } from './support/workplace.ts'

const OTHER = hostPlatform().architecture === 'arm64' ? 'amd64' : 'arm64'
const PLATFORMS = [`linux/${OTHER}`, `linux/${hostPlatform().architecture}`] as const

describe('several platforms', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A' })
    const images = [OTHER, hostPlatform().architecture].map(async (architecture) =>
      foreignImage([await foreignLayer({ arch: architecture })], {
        platform: { os: 'linux', architecture },
        config: { Env: [`BASE=${architecture}`] },
      }),
    )
    publishIndex(at.registry, 'base', { images: await Promise.all(images) })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const dockerfile = (): string[] => [
    `FROM ${at.at('base')}`,
    'ARG TARGETARCH TARGETPLATFORM BUILDPLATFORM',
    'ENV FOR=$TARGETARCH ON=$BUILDPLATFORM',
    'COPY a /a',
    'COPY <<EOF /platform',
    '$TARGETPLATFORM',
    'EOF',
  ]

  /** What skopeo says of one platform's image. */
  async function inspected(name: string, platform: string): Promise<Record<string, unknown>> {
    const [os = '', arch = ''] = platform.split('/')
    const flags = ['--override-os', os, '--override-arch', arch, '--tls-verify=false']
    const { stdout } = await run('skopeo', ['inspect', '--config', ...flags, name])
    return JSON.parse(stdout)
  }

  it('make an index that others read, each image as if it were built alone', async () => {
    const tag = at.at('out:1')
    const built = await at.build(dockerfile(), {
      platform: PLATFORMS,
      tags: [tag],
      outputs: [{ type: 'registry' }],
    })
    const raw = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${tag}`])
    const index = JSON.parse(raw.stdout)
    assert.equal(index.mediaType, 'application/vnd.oci.image.index.v1+json')
    assert.deepEqual(
      index.manifests.map(({ platform }: { platform: object }) => platform),
      PLATFORMS.map((one) => ({ architecture: one.slice('linux/'.length), os: 'linux' })),
    )
    for (const [position, platform] of PLATFORMS.entries()) {
      const alone = await at.build(dockerfile(), { platform, tags: [at.at(`alone:${position}`)] })
      assert.equal(built.images[position]?.id, alone.imageId)
      assert.equal(built.images[position]?.platform, platform)
      const architecture = platform.slice('linux/'.length)
      const config = await inspected(`docker://${tag}`, platform)
      assert.equal(config.architecture, architecture)
      const host = `linux/${hostPlatform().architecture}`
      const { Env } = config.config as { readonly Env: readonly string[] }
      assert.deepEqual(
        Env.filter((one) => !one.startsWith('PATH=')),
        [`BASE=${architecture}`, `FOR=${architecture}`, `ON=${host}`],
      )
    }
    assert.ok(namesOf(built.events, 'done').includes(`[${PLATFORMS[0]} 2/3] COPY a /a`))
    const again = await at.build(dockerfile(), { platform: PLATFORMS, tags: [tag] })
    assert.deepEqual(again.steps, { total: 4, cached: 4 })
    const copied = ['copy', '--all', '--src-tls-verify=false', `docker://${tag}`]
    await run('skopeo', [...copied, `oci:${at.path('copy')}:1`])
  })

  it('are pushed from the store, too, and stored in one archive', async () => {
    const tag = at.at('out:2')
    const stored = await at.build(dockerfile(), { platform: PLATFORMS, tags: [tag] })
    const pushed = await pushFromStore({ name: tag, root: at.path('store') })
    assert.equal(pushed.descriptor.mediaType, stored.descriptor?.mediaType)
    assert.equal((await inspected(`docker://${tag}`, PLATFORMS[0])).architecture, OTHER)
    const dest = at.path('out.tar')
    await at.build(dockerfile(), { platform: PLATFORMS, outputs: [{ type: 'oci', dest }] })
    assert.equal((await inspected(`oci-archive:${dest}`, PLATFORMS[0])).architecture, OTHER)
  })

  it('report every vertex under a unique id, however much they share', async () => {
    mkdirSync(at.path('served'))
    await commitFiles(at.path('served/r.git'), { file: '' })
    await using git = await startGitServer(at.path('served'))
    await using web = await startWebServer((_, response) => response.end('text'))
    publish(at.registry, 'tool', foreignImage([await foreignLayer({ t: '' })]))
    const built = await at.build(
      [
        `FROM --platform=$BUILDPLATFORM ${at.at('base')} AS build`,
        `ADD ${web.origin}/file /a`,
        `ADD ${git.origin}/r.git /b`,
        ...dockerfile(),
        `ADD ${web.origin}/file /a`,
        `ADD ${git.origin}/r.git /b`,
        `COPY --from=build /a /c`,
        `COPY --from=${at.at('tool')} /t /t`,
        'COPY --from=more file /d',
      ],
      {
        platform: PLATFORMS,
        contexts: { more: `${git.origin}/r.git#main` },
        outputs: [1, 2].map((place) => ({ type: 'oci', dest: at.path(`out${place}.tar`) })),
      },
    )
    const of = (...types: readonly BuildEvent['type'][]): readonly string[] =>
      built.events.flatMap((event) =>
        types.includes(event.type) && 'vertex' in event ? [event.vertex] : [],
      )
    const started = of('started')
    assert.deepEqual(of('done', 'cached').toSorted(), started.toSorted())
    assert.equal(new Set(started).size, started.length, started.join('\n'))
    const names = namesOf(built.events, 'cached').concat(namesOf(built.events, 'done'))
    for (const part of ['/file', '/r.git', 'load metadata', 'exporting']) {
      assert.ok(names.filter((name) => name.includes(part)).length > 1, part)
    }
  })

  it('go to folders of their own as files, and to one tar', async () => {
    const dest = at.path('files')
    const tar = at.path('files.tar')
    await at.build(dockerfile(), {
      platform: PLATFORMS,
      outputs: [
        { type: 'local', dest },
        { type: 'tar', dest: tar },
      ],
    })
    const folders = PLATFORMS.map((one) => one.replace('/', '_')).sort()
    assert.deepEqual(readdirSync(dest).sort(), folders)
    for (const platform of PLATFORMS) {
      const file = `${dest}/${platform.replace('/', '_')}/platform`
      assert.equal(readFileSync(file, 'utf8'), `${platform}\n`)
    }
    const { stdout } = await run('tar', ['-tf', tar])
    assert.deepEqual(
      stdout.split('\n').filter((name) => name.endsWith('/a')),
      PLATFORMS.map((one) => `${one.replace('/', '_')}/a`),
    )
  })

  it('are refused where a format has one image', async () => {
    const output = { type: 'docker', dest: at.path('x.tar') } as const
    await assert.rejects(at.build(dockerfile(), { platform: PLATFORMS, outputs: [output] }), {
      message: 'docker exporter does not currently support exporting manifest lists',
    })
  })

  it('that are one and the same are one', async () => {
    const built = await at.build(dockerfile(), { platform: [PLATFORMS[1], PLATFORMS[1]] })
    assert.equal(built.images.length, 1)
    assert.equal(built.imageId, built.images[0]?.id)
  })
})
