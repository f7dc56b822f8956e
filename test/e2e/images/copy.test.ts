import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { defaultCredentials } from '#builder'
import { digestOf, hostPlatform, MEDIA_TYPES, serializeIndex, serializeManifest } from '#core'
import { createRegistryClient, resolveImage } from '#registry-client'
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

describe('tsbuild copy', () => {
  let directory: TemporaryDirectory
  let one: Registry
  let two: Registry
  let name = ''
  const start = () => ({ root: directory.file('store') })
  before(async () => {
    directory = temporaryDirectory('copy')
    one = await startRegistry()
    two = await startRegistry()
    name = `${one.host}/busybox`
    await pushLayout(await busyboxBase(), `${name}:latest`)
  })
  after(async () => {
    await one?.[Symbol.asyncDispose]()
    await two?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  it('copies between registries, and every digest stays', async () => {
    const to = `${two.host}/team/copy:1`
    const expected = await rawManifest(`docker://${name}:latest`)
    const { stdout } = await mustBuild(['copy', '-q', name, to], start())
    assert.equal(stdout, `${expected.digest}\n`)
    assert.deepEqual(await rawManifest(`docker://${to}`), expected)
    await copyImage(`docker://${to}`, `oci:${directory.file('whole')}:x`)
  })

  it('mounts what the registry has in the repository of the source', async () => {
    await mustBuild(['copy', name, `${one.host}/other/copy:1`], start())
    const log = readFileSync(one.log, 'utf8')
    assert.match(log, /POST \/v2\/other\/copy\/blobs\/uploads\/\?[^ ]*mount=/)
    assert.doesNotMatch(log, /"?(PUT|PATCH) \/v2\/other\/copy\/blobs/)
  })

  it('goes through folders and archives to the same image', async () => {
    const expected = await rawManifest(`docker://${name}:latest`)
    const layout = `oci:${directory.file('layout')}`
    await mustBuild(['copy', name, `${layout}:a`], start())
    await mustBuild(['copy', `${layout}:a`, `${layout}:b`], start())
    assert.deepEqual(await rawManifest(`${layout}:a`), expected)
    assert.deepEqual(await rawManifest(`${layout}:b`), expected)
    const archive = `oci-archive:${directory.file('archive.tar')}:c`
    await mustBuild(['copy', `${layout}:b`, archive], start())
    assert.deepEqual(await rawManifest(archive), expected)
    const back = `${two.host}/back:1`
    await mustBuild(['copy', archive, back], start())
    assert.deepEqual(await rawManifest(`docker://${back}`), expected)
    const docker = `docker-archive:${directory.file('docker.tar')}:app:1`
    await mustBuild(['copy', archive, docker], start())
    const { config } = (await rawManifest(docker)).document
    assert.equal(config?.digest, expected.document.config?.digest)
  })

  it('takes what skopeo writes for docker, without packing it', async () => {
    const archive = `docker-archive:${directory.file('skopeo.tar')}:app:1`
    await copyImage(`docker://${name}:latest`, archive)
    const to = `${two.host}/from-docker:1`
    await mustBuild(['copy', archive, to], start())
    const { document } = await rawManifest(`docker://${to}`)
    const expected = await rawManifest(`docker://${name}:latest`)
    assert.equal(document.config?.digest, expected.document.config?.digest)
    assert.match(document.layers?.[0]?.mediaType ?? '', /\.tar$/)
  })

  it('copies an index with everything, or the image for one platform', async () => {
    const index = `${one.host}/multi:1`
    const context = directory.file('context')
    writeContext(context, { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })
    const platforms = '--platform=linux/amd64,linux/arm64'
    await mustBuild([platforms, '-t', index, '--push', context], start())
    const expected = await rawManifest(`docker://${index}`)
    assert.equal(expected.document.manifests?.length, 2)
    const all = `${two.host}/multi:1`
    await mustBuild(['copy', index, all], start())
    assert.deepEqual(await rawManifest(`docker://${all}`), expected)
    const arm = `${two.host}/arm:1`
    await mustBuild(['copy', '--platform=linux/arm64', index, arm], start())
    const digests = expected.document.manifests?.map(({ digest }) => digest) ?? []
    assert.ok(digests.includes((await rawManifest(`docker://${arm}`)).digest))
    const none = await tsbuild(['copy', '--platform=linux/s390x', index, arm], start())
    assert.equal(none.status, 1)
    assert.match(none.stderr, /linux\/arm64/)
  })

  it('refuses a digest as the target, and a name that an archive does not have', async () => {
    const { digest } = await rawManifest(`docker://${name}:latest`)
    const toDigest = await tsbuild(['copy', name, `${two.host}/x@${digest}`], start())
    assert.match(toDigest.stderr, /a digest cannot be chosen/)
    const archive = directory.file('named.tar')
    await mustBuild(['copy', name, `oci-archive:${archive}:v1`], start())
    const absent = await tsbuild(['copy', `oci-archive:${archive}:v2`, `${two.host}/x:1`], start())
    assert.equal(absent.status, 1)
    assert.match(absent.stderr, /it has no v2[\s\S]*v1/)
    await mustBuild(['copy', `oci-archive:${archive}`, `${two.host}/x:1`], start())
  })

  it('pushes what was pulled with its digest, every tag of it, or one platform of an index', async () => {
    const other = { root: directory.file('pushed') }
    await mustBuild(['pull', '-q', name], other)
    const team = `${two.host}/team/pulled`
    for (const tag of ['1', '2']) await mustBuild(['tag', name, `${team}:${tag}`], other)
    const { stdout } = await mustBuild(['push', '-q', '-a', team], other)
    const expected = await rawManifest(`docker://${name}:latest`)
    assert.equal(stdout, `${expected.digest}\n`.repeat(2))
    for (const tag of ['1', '2']) {
      assert.deepEqual(await rawManifest(`docker://${team}:${tag}`), expected)
    }
    const refused = await tsbuild(['push', '-a', `${team}:1`], other)
    assert.match(refused.stderr, /tag can't be used with --all-tags/)
    const none = await tsbuild(['push', '-a', `${team}/none`], other)
    assert.match(none.stderr, /no image of .* in the local store/)
    const context = directory.file('platforms')
    writeContext(context, { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })
    const built = `${two.host}/built:1`
    await mustBuild(['--platform=linux/amd64,linux/arm64', '-t', built, context], other)
    await mustBuild(['push', '--platform=linux/arm64', built], other)
    assert.equal((await rawManifest(`docker://${built}`)).document.manifests, undefined)
  })

  it('takes signatures along when asked to, listed under the tag where the registry has no list', async () => {
    await using client = createRegistryClient({ credentials: defaultCredentials({}) })
    const source = client.repository({ registry: one.host, repository: 'busybox' })
    const subject = await source.resolve('latest')
    const mediaType = MEDIA_TYPES.ociManifest
    const { manifest } = await resolveImage(source, 'latest', { platform: hostPlatform() })
    const bytes = serializeManifest({
      ...{ mediaType, artifactType: 'application/x-signature', config: manifest.config },
      ...{ layers: [], subject },
    })
    const digest = await source.putManifest(digestOf(bytes), { mediaType, bytes })
    const list = {
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [{ mediaType, digest, size: bytes.length }],
    }
    const tag = subject.digest.replace(':', '-')
    await source.putManifest(tag, { mediaType: list.mediaType, bytes: serializeIndex(list) })
    const signed = client.repository({ registry: two.host, repository: 'signed' })
    await mustBuild(['copy', name, `${two.host}/signed:1`], start())
    assert.deepEqual((await signed.referrers(subject.digest)).descriptors, [])
    for (const _ of ['once', 'and again']) {
      await mustBuild(['copy', '--referrers', name, `${two.host}/signed:1`], start())
      const found = (await signed.referrers(subject.digest)).descriptors
      assert.deepEqual(
        found.map((one) => one.digest),
        [digest],
      )
    }
    assert.deepEqual((await signed.fetchManifest(digest)).bytes, bytes)
    const refused = await tsbuild(
      ['copy', '--referrers', name, `oci:${directory.file('r')}:1`],
      start(),
    )
    assert.match(refused.stderr, /between registries only/)
  })
})
