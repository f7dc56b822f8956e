import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pushFromStore } from '#builder'
import { hexOf, parseIndex } from '#core'
import type { Workplace } from '../builder/build/support/workplace.ts'
import { ensurePackages, run } from '../support/peers/index.ts'
import { readAttested, type Statement } from './attested-layout.ts'
import { AttestingWorkplace } from './attesting-workplace.ts'

const HOST = process.arch === 'x64' ? 'amd64' : process.arch

describe('what is said of an image', () => {
  let place: AttestingWorkplace
  let at: Workplace

  before(async () => {
    await ensurePackages()
    place = await AttestingWorkplace.open()
    at = place.at
  })
  after(() => at?.[Symbol.asyncDispose]())

  const attested: AttestingWorkplace['attested'] = (...given) => place.attested(...given)

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
    await at.build([`FROM ${name}`, 'COPY b /'], { pull: true, root: at.path('other-store') })
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
  })

  it('has the form of an image where artifacts are not wanted', async () => {
    const dest = at.path('no-artifact')
    await at.build(['FROM scratch', 'COPY a /'], {
      outputs: [{ type: 'oci', dest, tar: false, ociArtifact: false }],
      attestations: { provenance: { mode: 'max' } },
    })
    const [image] = readAttested(dest)
    assert.ok(image?.about !== undefined)
    const { document } = image.about
    assert.equal(document.artifactType, undefined)
    assert.equal(document.subject, undefined)
    assert.equal(document.config.mediaType, 'application/vnd.oci.image.config.v1+json')
    const config = JSON.parse(
      readFileSync(join(dest, 'blobs/sha256', String(document.config.digest).slice(7)), 'utf8'),
    )
    assert.deepEqual(config, {
      architecture: 'unknown',
      os: 'unknown',
      config: {},
      rootfs: { type: 'layers', diff_ids: document.layers.map(({ digest }) => digest) },
    })
  })

  it('of files of several platforms has their names, and a prefix', async () => {
    const dest = at.path('unsplit')
    await at.build(['FROM scratch', 'COPY a /'], {
      platform: ['linux/amd64', 'linux/arm64'],
      outputs: [{ type: 'local', dest, platformSplit: false, attestationPrefix: 'made.' }],
      attestations: { provenance: { mode: 'min' } },
    })
    assert.deepEqual(readdirSync(dest), [
      'a',
      'made.provenance.linux_amd64.json',
      'made.provenance.linux_arm64.json',
    ])
  })

  it('is refused where it cannot be meant', async () => {
    const outputs = [{ type: 'oci', dest: at.path('never'), ociMediaTypes: false }] as const
    const attestations = { provenance: { mode: 'min' } } as const
    await assert.rejects(at.build(['FROM scratch', 'COPY a /'], { outputs, attestations }), {
      code: 'USAGE',
      message: 'cannot export attestations with "oci-mediatypes=false"',
    })
    const prefixed = [{ type: 'local', dest: at.path('never'), attestationPrefix: '../' }] as const
    await assert.rejects(at.build(['FROM scratch', 'COPY a /'], { outputs: prefixed }), {
      code: 'USAGE',
    })
    const ask = (attestations: object) =>
      assert.rejects(at.build(['FROM scratch'], { attestations } as object), { code: 'USAGE' })
    await ask({ provenance: { mode: 'most' } })
    await ask({ provenance: { mode: 'min', filename: '../x' } })
    await ask({ sbom: { formats: [] } })
    await ask({ sbom: { formats: ['text'] } })
  })
})
