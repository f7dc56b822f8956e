import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, SourceError, TsbuildError } from '#builder'
import { openStore } from '#cache'
import { collect, type ImageConfig, parseImageConfig } from '#core'
import { parseManifest } from '../../support/manifest/index.ts'
import { namesOf, Workplace } from './support/workplace.ts'

describe('build', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
  })
  afterEach(() => at[Symbol.asyncDispose]())

  /** The config of a named image, as the store has it. */
  async function configOf(name: string): Promise<ImageConfig> {
    await using store = openStore(at.path('store'))
    const descriptor = store.images.get(name)?.descriptor
    assert.ok(descriptor)
    const manifest = await collect(await store.blobs.open(descriptor), 1e6)
    const { config } = parseManifest(manifest, descriptor.mediaType)
    return parseImageConfig(await collect(await store.blobs.open(config), 1e6))
  }

  it('reports what came out', async () => {
    at.put({ a: 'A', b: 'B' })
    const built = await at.build(['FROM scratch', 'COPY a /', 'COPY b /dir/'], {
      tags: ['app:1', 'localhost:5000/app'],
    })
    assert.match(built.digest ?? '', /^sha256:[0-9a-f]{64}$/)
    assert.equal(built.descriptor?.digest, built.digest)
    assert.deepEqual(built.tags, ['docker.io/library/app:1', 'localhost:5000/app:latest'])
    assert.deepEqual(built.steps, { total: 2, cached: 0 })
    assert.deepEqual(
      built.layers.map(({ createdBy }) => createdBy),
      ['[1/2] COPY a /', '[2/2] COPY b /dir/'],
    )
    assert.ok(built.layers.every(({ size }) => size !== undefined && size > 512))
    assert.ok(built.milliseconds > 0)
    const { diffIds } = await configOf('docker.io/library/app:1')
    assert.deepEqual(
      built.layers.map(({ diffId }) => diffId),
      diffIds,
    )
  })

  it('reports each step once, in order, also when it is cached', async () => {
    at.put({ a: 'A', b: 'B' })
    const text = ['FROM scratch', 'COPY a /', 'COPY b /']
    const first = await at.build(text)
    assert.deepEqual(namesOf(first.events, 'done'), [
      '[1/2] COPY a /',
      '[2/2] COPY b /',
      'exporting to image',
    ])
    const second = await at.build(text)
    assert.deepEqual(namesOf(second.events, 'cached'), ['[1/2] COPY a /', '[2/2] COPY b /'])
    assert.deepEqual(second.steps, { total: 2, cached: 2 })
    for (const { events } of [first, second]) {
      const started = namesOf(events, 'started')
      assert.deepEqual(started, [...new Set(started)])
    }
  })

  it('makes the very same image from the cache', async () => {
    at.put({ a: 'A' })
    const text = ['FROM scratch AS x', 'COPY a /', 'FROM scratch', 'COPY --from=x /a /b', 'CMD /b']
    const first = await at.build(text)
    const second = await at.build(text)
    assert.equal(second.imageId, first.imageId)
    assert.equal(second.digest, first.digest)
  })

  it('finds a copy from a stage by definition, without looking at the stage', async () => {
    at.put({ a: 'A' })
    const text = ['FROM scratch AS x', 'COPY a /', 'FROM scratch', 'COPY --from=x /a /b']
    const first = await at.build(text)
    // The stage's files are removed, and its records.
    const layers = join(at.path('store'), 'layers')
    assert.equal(readdirSync(layers).length, 1)
    for (const name of readdirSync(layers)) rmSync(join(layers, name), { recursive: true })
    const second = await at.build(text)
    assert.equal(second.imageId, first.imageId)
    assert.equal(readdirSync(layers).length, 0)
  })

  it('takes time for each stage once, however many ways lead to it', async () => {
    at.put({ a: 'A' })
    const stages = Array.from({ length: 48 }, (_, index) => [
      `FROM scratch AS s${index + 1}`,
      `COPY --from=s${index} /a /a`,
      `COPY --from=s${index} /a /b`,
    ])
    const text = ['FROM scratch AS s0', 'COPY a /a', ...stages.flat()]
    await at.build(text)
    const { steps } = await at.build(text)
    assert.deepEqual(steps, { total: 97, cached: 97 })
  })

  it('builds no more than the target needs', async () => {
    at.put({ a: 'A' })
    const text = [
      'FROM scratch AS used',
      'COPY a /used',
      'FROM 127.0.0.1:1/nowhere AS unused',
      'RUN false',
      'FROM scratch AS target',
      'COPY --from=used / /',
      'FROM unused',
    ]
    const built = await at.build(text, { target: 'TARGET' })
    assert.deepEqual(namesOf(built.events, 'done'), [
      '[used 1/1] COPY a /used',
      '[target 1/1] COPY --from=used / /',
      'exporting to image',
    ])
  })

  it('takes arguments and labels', async () => {
    const text = ['ARG V=1', 'FROM scratch', 'ARG V', 'ENV V=$V', 'LABEL a=$V b=file']
    await at.build(text, {
      tags: ['x'],
      buildArgs: { V: '2' },
      labels: { b: 'option', c: '$V' },
      platform: 'linux/arm64',
    })
    const { config, platform } = await configOf('docker.io/library/x:latest')
    assert.deepEqual(config.Labels, { a: '2', b: 'option', c: '$V' })
    assert.ok(config.Env?.includes('V=2'))
    assert.equal(platform.architecture, 'arm64')
  })

  it('evaluates a default only where it is used', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the variable of a Dockerfile
    const text = ['FROM scratch', 'ARG A=${B:?}', 'LABEL a=$A']
    await at.build(text, { buildArgs: { A: '1' } })
    await assert.rejects(at.build(text), { code: 'DOCKERFILE_INVALID' })
  })

  it('makes an image without files', async () => {
    const built = await at.build(['FROM scratch', 'CMD ["/x"]'], { tags: ['x'] })
    assert.deepEqual(built.layers, [])
    assert.deepEqual((await configOf('docker.io/library/x:latest')).config.Cmd, ['/x'])
  })

  it('reports which names of fresh stages no stage has', async () => {
    const built = await at.build('FROM scratch AS builder\nWORKDIR /w', {
      noCache: ['buidler', 'Builder'],
    })
    const warnings = built.events.flatMap((event) =>
      event.type === 'warning' ? [event.message] : [],
    )
    assert.deepEqual(warnings, [
      'no stage is called buidler: its results are looked up as usual (did you mean builder?)',
    ])
    const steps = await at.build('FROM scratch AS builder\nWORKDIR /w', {
      noCache: ['builder:RUN', ':workdir /W', '7', 'builder:WORKDR'],
    })
    assert.deepEqual(
      steps.events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
      [
        'no step matches builder:RUN: all results are looked up as usual (there are WORKDIR)',
        'no stage is called 7: its results are looked up as usual (there are builder)',
        'no step matches builder:WORKDR: all results are looked up as usual (did you mean WORKDIR?)',
      ],
    )
    assert.equal(steps.steps.cached, 0)
    const bad = at.build('FROM scratch\nWORKDIR /w', { noCache: ['builder:'] })
    await assert.rejects(bad, { code: 'USAGE' })
  })

  it('looks nothing up with noCache, and does equal steps once', async () => {
    at.put({ a: 'A' })
    const text = [
      'FROM scratch AS x',
      'WORKDIR /w',
      'FROM scratch',
      'WORKDIR /w',
      'COPY --from=x /w /v',
    ]
    await at.build(text)
    const again = await at.build(text, { noCache: true })
    assert.equal(namesOf(again.events, 'done').length, 3)
    assert.equal(again.steps.cached, 1)
  })

  it('keys a step by what was copied', async () => {
    at.put({ a: '1' })
    const text = ['FROM scratch', 'COPY a /']
    await at.build(text)
    at.put({ a: '2' })
    // The file changes after its digest was taken for the look-up, before it is copied.
    await at.build(text, {
      onEvent: ({ type }) => {
        if (type === 'started') at.put({ a: '1' })
      },
    })
    at.put({ a: '2' })
    const two = await at.build(text)
    assert.equal(two.steps.cached, 0)
  })

  it('refuses bad options before any work', async () => {
    const bad: readonly (readonly [Partial<BuildOptions>, string])[] = [
      [{ tags: ['Bad'] }, 'REFERENCE_INVALID'],
      [{ tags: [`x@sha256:${'0'.repeat(64)}`] }, 'REFERENCE_INVALID'],
      [{ platform: 'nope' }, 'PLATFORM_MISMATCH'],
      [{ platform: 'linux/amd64/v2/x' }, 'PLATFORM_MISMATCH'],
      [{ jobs: 0 }, 'USAGE'],
      [{ outputs: [{ type: 'registry' }] }, 'USAGE'],
      [{ context: at.path('nowhere') }, 'CONTEXT_INVALID'],
      [{ outputs: [{ type: 'local', dest: process.stdout }] }, 'USAGE'],
      [{ outputs: [{ type: 'tar', dest: at.path('no/x.tar') }] }, 'USAGE'],
      [{ outputs: [{ type: 'oci', dest: at.path('context') }] }, 'USAGE'],
    ]
    for (const [options, code] of bad) {
      await assert.rejects(at.build('FROM scratch\nCOPY a /', options), (error) => {
        assert.ok(error instanceof TsbuildError)
        assert.equal(error.code, code, error.message)
        assert.ok(error.hint)
        return true
      })
    }
    assert.equal(existsSync(at.path('store')), false)
  })

  it('ties failures to their lines', async () => {
    const bad: readonly (readonly [string, string, number])[] = [
      ['FROM scratch\nCOPI a /', 'DOCKERFILE_INVALID', 2],
      ['FROM scratch\nCOPY missing /', 'NOT_FOUND', 2],
      ['FROM --platform=nope scratch', 'PLATFORM_MISMATCH', 1],
      ['FROM scratch\n\nSTOPSIGNAL SIGNOT', 'DOCKERFILE_INVALID', 3],
      ['FROM Bad/Name', 'REFERENCE_INVALID', 1],
      [
        'FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nCOPY --from=a / /',
        'DOCKERFILE_INVALID',
        2,
      ],
      ['FROM scratch AS a\nFROM a\nCOPY --from=127.0.0.1:1/x / /', 'REGISTRY_UNREACHABLE', 3],
    ]
    for (const [dockerfile, code, line] of bad) {
      await assert.rejects(at.build(dockerfile), (error) => {
        assert.ok(error instanceof SourceError, String(error))
        assert.equal(error.code, code, error.message)
        assert.equal(error.ranges[0]?.start.line, line, error.message)
        assert.match(error.excerpt(), new RegExp(`^ +${line} \\| >>> `, 'm'))
        return true
      })
    }
  })

  it('leaves nothing behind in the store, whether it fails or not', async () => {
    at.put({ a: 'A' })
    await at.build('FROM scratch\nCOPY a /')
    await assert.rejects(at.build('FROM scratch AS x\nCOPY a /b\nFROM x\nCOPY missing /'))
    assert.deepEqual(readdirSync(join(at.path('store'), 'tmp')), [])
  })
})
