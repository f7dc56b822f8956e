import assert from 'node:assert/strict'
import {
  type Descriptor,
  digestOf,
  type Index,
  type Json,
  type Manifest,
  MEDIA_TYPES,
  mediaTypeOf,
  parseIndex,
  parseManifestOrIndex,
  serializeIndex,
  serializeManifest,
} from '#core'
import { parseManifest } from '../support/manifest/index.ts'

const blob = (text: string, mediaType: string, size = text.length): Descriptor => ({
  mediaType,
  digest: digestOf(text),
  size,
})

const manifest: Manifest = {
  mediaType: MEDIA_TYPES.ociManifest,
  config: blob('{}', MEDIA_TYPES.ociConfig),
  layers: [blob('layer', MEDIA_TYPES.ociLayerGzip)],
  annotations: { 'org.example': 'x' },
}

const bytesOf = (document: Json): Buffer => Buffer.from(JSON.stringify(document))
const plain = JSON.parse(serializeManifest(manifest).toString()) as { [key: string]: Json }

describe('manifest', () => {
  it('survives writing and reading', () => {
    assert.deepEqual(parseManifest(serializeManifest(manifest), MEDIA_TYPES.ociManifest), manifest)
  })

  it('keeps what it is about and of what kind it is, in the order of the specification', () => {
    const subject = blob('image', MEDIA_TYPES.ociManifest)
    const entry = {
      ...blob('sbom', MEDIA_TYPES.ociManifest),
      artifactType: 'application/spdx+json',
    }
    const artifact: Manifest = { ...manifest, artifactType: 'example/x', subject }
    assert.deepEqual(parseManifest(serializeManifest(artifact), ''), artifact)
    const index: Index = {
      mediaType: MEDIA_TYPES.ociIndex,
      artifactType: 'example/index',
      manifests: [{ ...entry, annotations: { 'org.example': 'y' } }],
      subject,
      annotations: { 'org.example': 'z' },
    }
    assert.deepEqual(parseIndex(serializeIndex(index)), index)
    assert.deepEqual(Object.keys(JSON.parse(serializeManifest(artifact).toString())), [
      ...['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers'],
      ...['subject', 'annotations'],
    ])
    assert.deepEqual(Object.keys(JSON.parse(serializeIndex(index).toString())), [
      ...['schemaVersion', 'mediaType', 'artifactType', 'manifests', 'subject', 'annotations'],
    ])
  })

  it('takes null and an empty text for absent, as Go does', () => {
    const { annotations: _, ...rest } = plain
    const bare = bytesOf({ ...rest, artifactType: '', subject: null, annotations: null })
    const read = parseManifest(bare, '')
    assert.equal('artifactType' in read || 'subject' in read || 'annotations' in read, false)
    const index = { schemaVersion: 2, manifests: [{ ...descriptor, artifactType: '' }] }
    assert.deepEqual(parseIndex(bytesOf(index)).manifests, [manifest.config])
  })

  it('is read without a subject that cannot be used', () => {
    const digest = `sha512:${'0'.repeat(128)}`
    for (const subject of [{}, { ...descriptor, digest }, { ...descriptor, size: -1 }]) {
      assert.equal('subject' in parseManifest(bytesOf({ ...plain, subject }), ''), false)
      const index = { schemaVersion: 2, manifests: [descriptor], subject }
      assert.equal('subject' in parseIndex(bytesOf(index)), false)
    }
  })

  it('is read as registries of the wild have it', () => {
    const attested = `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociIndex}","manifests":[
      {"mediaType":"${MEDIA_TYPES.ociManifest}","digest":"${digestOf('a')}","size":1,"platform":
       {"architecture":"unknown","os":"unknown","features":null},"annotations":
       {"vnd.docker.reference.digest":"${digestOf('b')}","vnd.docker.reference.type":"attestation-manifest"}},
      {"mediaType":"${MEDIA_TYPES.ociManifest}","digest":"${digestOf('b')}","size":2,"platform":{},"annotations":{}}],
      "annotations":null,"layers":null,"config":null,"signatures":[{"header":{"JWK":{},"jwk":{}}}]}`
    const { manifests } = parseIndex(Buffer.from(attested))
    assert.deepEqual(manifests[1], blob('b', MEDIA_TYPES.ociManifest, 2))
    assert.equal(manifests[0]?.platform?.os, 'unknown')
  })

  it('refuses schema 1, also disguised', () => {
    assert.throws(() => parseManifest(bytesOf({ ...plain, fsLayers: [] }), ''), {
      code: 'MANIFEST_INVALID',
    })
  })

  it('has a type by what it holds when it declares none', () => {
    const { mediaType: _absent, ...rest } = plain
    assert.equal(mediaTypeOf(bytesOf(rest)), MEDIA_TYPES.ociManifest)
    assert.equal(mediaTypeOf(bytesOf({ manifests: [] })), MEDIA_TYPES.ociIndex)
    assert.equal(mediaTypeOf(bytesOf({ ...plain, mediaType: 'x/y' })), 'x/y')
    assert.equal(mediaTypeOf(bytesOf({})), undefined)
  })

  it('takes the type from the content type when the document has none', () => {
    const { mediaType: _absent, ...rest } = plain
    const parsed = parseManifestOrIndex(bytesOf(rest), MEDIA_TYPES.dockerManifest)
    assert.equal(parsed.kind, 'manifest')
  })

  const descriptor = plain.config as { [key: string]: Json }
  const refused: Readonly<Record<string, Json>> = {
    'manifest and index at once': { ...plain, manifests: [] },
    'an index with layers': { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, layers: [] },
    'keys that Go would read and we would not': { ...plain, Layers: [] },
    'no config': { ...plain, config: null },
    'a fractional size': { ...plain, config: { ...descriptor, size: 1.5 } },
    'a negative size': { ...plain, config: { ...descriptor, size: -1 } },
    'a size beyond what a number holds': { ...plain, config: { ...descriptor, size: 2 ** 53 } },
    'a size as text': { ...plain, config: { ...descriptor, size: '2' } },
    'a digest that leads out': { ...plain, config: { ...descriptor, digest: 'sha256:../../x' } },
    'an unknown type': { ...plain, mediaType: 'text/plain' },
    'a list': [],
  }
  for (const [what, document] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseManifest(bytesOf(document), MEDIA_TYPES.ociManifest), {
        code: 'MANIFEST_INVALID',
      })
    })
  }

  it('refuses documents that are too deep, too long or no UTF-8', () => {
    const deep = Buffer.from(`${'['.repeat(65)}${']'.repeat(65)}`)
    const long = Buffer.alloc(4 * 1024 * 1024 + 1, ' ')
    for (const bytes of [deep, long, Buffer.from([0x22, 0xff, 0x22])]) {
      assert.throws(() => parseIndex(bytes), { code: 'MANIFEST_INVALID' })
    }
  })

  it('keeps keys that would be dangerous as properties', () => {
    const bytes = Buffer.from(
      JSON.stringify(plain).replace('"org.example":"x"', '"__proto__":"own","constructor":"c"'),
    )
    const { annotations } = parseManifest(bytes, MEDIA_TYPES.ociManifest)
    assert.deepEqual(Object.keys(annotations ?? {}), ['__proto__', 'constructor'])
    assert.equal(({} as { own?: unknown }).own, undefined)
  })
})
