import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { BuildOptions } from '#builder'
import { formatPlatform, hostPlatform, MEDIA_TYPES, parseIndex } from '#core'
import { type Built, namesOf, Workplace } from '../support/workplace.ts'

const PREPARED = ['FROM scratch', 'COPY --chmod=755 busybox /bin/busybox']
const SHOW = 'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox hostname; /bin/busybox env"]'

describe('build arguments', () => {
  let at: Workplace
  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
  })
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ busybox: readFileSync('/bin/busybox') })
  })
  afterEach(() => at?.[Symbol.asyncDispose]())

  const build = (
    lines: readonly string[],
    buildArgs: BuildOptions['buildArgs'] = {},
  ): Promise<Built> => at.build([...PREPARED, ...lines, SHOW], { buildArgs })

  it('reach a step when they are declared, and change only the steps behind that', async () => {
    const lines = ['RUN ["/bin/busybox", "true"]', 'ARG a=1']
    assert.ok(outputOf(await build(lines)).includes('a=1'))
    const second = await build(lines, { a: '2' })
    assert.ok(outputOf(second).includes('a=2'))
    assert.deepEqual(second.steps, { total: 3, cached: 2 })
    assert.deepEqual((await build(lines, { a: '2', b: '3' })).steps, { total: 3, cached: 3 })
  })

  it('are also the proxies of docker’s config.json, in no key and no history', async () => {
    const proxies = { default: { httpProxy: 'http://me:hush@p:1', noProxy: 'corp.test' } }
    const before = process.env.DOCKER_CONFIG
    try {
      process.env.DOCKER_CONFIG = at.folder
      writeFileSync(at.path('config.json'), JSON.stringify({ proxies }))
      const first = await build([], { NO_PROXY: 'given.test' })
      const output = outputOf(first)
      assert.ok(output.includes('http_proxy=http://me:hush@p:1'))
      assert.ok(output.includes('HTTP_PROXY=http://me:hush@p:1'))
      assert.ok(output.includes('no_proxy=given.test'))
      const { events: _events, ...result } = first
      assert.equal(JSON.stringify(result).includes('hush'), false)
    } finally {
      if (before === undefined) delete process.env.DOCKER_CONFIG
      else process.env.DOCKER_CONFIG = before
    }
    assert.deepEqual((await build([])).steps, { total: 2, cached: 2 })
  })

  it('are reported when nothing uses them', async () => {
    const { events } = await build(['ARG a'], { a: '', x: '', HTTP_PROXY: 'p', b: '' })
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
      ['[Warning] One or more build-args [b x] were not consumed'],
    )
  })

  it('pass proxies on to steps, whose results stay the same', async () => {
    const lines = ['ENV http_proxy=image NO_PROXY=image']
    const first = await build(lines, {
      HTTP_PROXY: 'http://one',
      BUILDKIT_SYNTAX: 'docker/dockerfile:1',
    })
    const seen = outputOf(first).filter((line) => /proxy/i.test(line))
    assert.deepEqual(seen.sort(), [
      ...['HTTP_PROXY=http://one', 'NO_PROXY=image', 'http_proxy=http://one'],
    ])
    const second = await build(lines, { HTTP_PROXY: 'http://two' })
    assert.deepEqual(second.steps, { total: 2, cached: 2 })
    assert.equal(second.imageId, first.imageId)
  })

  it('choose the frontend in place of the file', async () => {
    const foreign = ['# syntax=example.com/frontend:1', 'FROM scratch', 'COPY f /']
    at.put({ f: '' })
    await assert.rejects(at.build(foreign), { code: 'UNSUPPORTED' })
    const choose = (BUILDKIT_SYNTAX: string) =>
      at.build(foreign, { buildArgs: { BUILDKIT_SYNTAX } })
    for (const value of ['dockerfile.v0', ' mirror.corp:5000/hub/docker/dockerfile:1-labs -x']) {
      assert.equal((await choose(value)).layers.length, 1)
    }
    await assert.rejects(choose('example.com/frontend:2'), {
      code: 'UNSUPPORTED',
      message: 'unsupported BUILDKIT_SYNTAX "example.com/frontend:2"',
    })
    await assert.rejects(choose(''), { code: 'USAGE' })
  })

  describe('that ask for an index', () => {
    const platform = formatPlatform(hostPlatform())
    const dockerfile = ['FROM scratch', 'COPY busybox /f']
    const built = (value: string, options: Partial<BuildOptions> = {}) =>
      at.build(dockerfile, { buildArgs: { BUILDKIT_MULTI_PLATFORM: value }, ...options })

    for (const value of ['1', 'true', 'T']) {
      it(`get one of a single image: ${value}`, async () => {
        const dest = at.path('out')
        const outputs = [{ type: 'oci', dest, tar: false }] as const
        const { descriptor, imageId, digest, images, events } = await built(value, { outputs })
        assert.equal(descriptor?.mediaType, MEDIA_TYPES.ociIndex)
        assert.equal(imageId, digest)
        assert.deepEqual(
          images.map((image) => image.platform),
          [platform],
        )
        assert.ok(namesOf(events, 'done').includes(`[${platform} 1/1] COPY busybox /f`))
        const blob = `${dest}/blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`
        const index = parseIndex(readFileSync(blob))
        assert.deepEqual(
          index.manifests.map((manifest) => manifest.platform),
          [hostPlatform()],
        )
        const files = at.path('files')
        await built(value, { outputs: [{ type: 'local', dest: files }] })
        assert.deepEqual(readdirSync(files), [platform.replaceAll('/', '_')])
        const docker = [{ type: 'docker', dest: at.path('x.tar') }] as const
        await assert.rejects(built(value, { outputs: docker }), { code: 'USAGE' })
      })
    }

    it('or for none, get an image', async () => {
      for (const value of ['', '0', 'false']) {
        assert.equal((await built(value)).descriptor?.mediaType, MEDIA_TYPES.ociManifest)
      }
      const several = { platform: ['linux/amd64', 'linux/arm64'] }
      await assert.rejects(built('0', several), {
        message: 'conflicting config: returning multiple target platforms is not allowed',
      })
      await assert.rejects(built('maybe'), {
        message: 'invalid boolean value for multi-platform: maybe',
      })
    })
  })

  it('that ask for attestations are refused', async () => {
    const ask = (name: string) =>
      at.build(['FROM scratch', 'LABEL a=b'], { buildArgs: { [name]: '' } })
    await assert.rejects(ask('BUILDKIT_ATTEST_SBOM'), { code: 'UNSUPPORTED' })
    await assert.rejects(ask('BUILDKIT_ATTEST_PROVENANCE'), { code: 'UNSUPPORTED' })
    await assert.rejects(ask('BUILDKIT_ATTEST_Foo'), {
      code: 'USAGE',
      message: 'unknown attestation type "foo"',
    })
  })

  it('that control a build are known without a declaration, and change nothing', async () => {
    const text = ['FROM scratch', 'COPY busybox /f']
    const plain = await at.build(text)
    const controls = {
      BUILDKIT_BUILD_NAME: 'name',
      BUILDKIT_CACHE_MOUNT_NS: 'ns',
      BUILDKIT_CONTEXT_KEEP_GIT_DIR: '1',
      BUILDKIT_DISABLE_FILEOP: '0',
      BUILDKIT_DOCKERFILE_CHECK: 'skip=all',
      BUILDKIT_INLINE_CACHE: '0',
      BUILDKIT_MULTI_PLATFORM: '0',
      BUILDKIT_SANDBOX_HOSTNAME: 'host',
      BUILDKIT_SBOM_SCAN_CONTEXT: 'true',
      BUILDKIT_SBOM_SCAN_STAGE: 'true',
      BUILDKIT_SYNTAX: 'docker/dockerfile:1',
    }
    const built = await at.build(text, { buildArgs: controls })
    assert.equal(built.imageId, plain.imageId)
    assert.deepEqual(
      built.events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
      [],
    )
  })

  it('name the host', async () => {
    assert.equal(outputOf(await build([]))[0], 'buildkitsandbox')
    assert.equal(outputOf(await build([], { BUILDKIT_SANDBOX_HOSTNAME: 'other' }))[0], 'other')
    const usual = outputOf(await build(['ENV a=b'], { BUILDKIT_SANDBOX_HOSTNAME: '' }))
    assert.equal(usual[0], 'buildkitsandbox')
  })
})

/** What steps printed, in lines. */
function outputOf({ events }: Built): readonly string[] {
  const chunks = events.flatMap((event) => (event.type === 'log' ? [event.data] : []))
  return Buffer.concat(chunks).toString().trim().split('\n')
}
