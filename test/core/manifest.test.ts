import assert from 'node:assert/strict'
import {
  type Descriptor,
  digestOf,
  type Json,
  type Manifest,
  MEDIA_TYPES,
  mediaTypeOf,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
  serializeManifest,
} from '#core'

const blob = (text: string, mediaType: string): Descriptor => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
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

  it('has a type by what it holds when it says none', () => {
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
