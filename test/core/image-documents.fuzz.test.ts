import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import {
  isDigest,
  MEDIA_TYPES,
  parseImageConfig,
  parseManifestOrIndex,
  serializeImageConfig,
  serializeIndex,
  serializeManifest,
} from '#core'
import { fuzz, orTyped, textHavoc } from '../support/random/index.ts'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const CONFIG = { mediaType: MEDIA_TYPES.ociConfig, digest: DIGEST, size: 2 }
const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: DIGEST, size: 9 }
const PLATFORM = { os: 'linux', architecture: 'arm64', variant: 'v8' }

const DOCUMENTS = [
  { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: CONFIG, layers: [LAYER, LAYER] },
  { schemaVersion: 2, config: CONFIG, layers: [], subject: CONFIG, annotations: { a: 'b' } },
  {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [{ ...CONFIG, mediaType: MEDIA_TYPES.ociManifest, platform: PLATFORM }],
  },
  {
    ...PLATFORM,
    created: '2026-01-02T03:04:05.678Z',
    config: { Env: ['A=b'], Cmd: ['x'], Labels: { l: 'm' }, ExposedPorts: { '80/tcp': {} } },
    rootfs: { type: 'layers', diff_ids: [DIGEST] },
    history: [{ created_by: 'RUN x' }, { created_by: 'ENV a', empty_layer: true }],
  },
].map((document) => JSON.stringify(document))

/** Whole tokens that take the place of others: a change of bytes seldom leaves JSON behind. */
const TOKENS = [
  ...['null', '-1', '1.5', '9007199254740993', '1e3', '""', '[]', '{}', 'true', '"sha256:../x"'],
  ...['"layers":', '"Layers":', '"manifests":', '"mediaType":', '"__proto__":', ',', '[', '}'],
]
const swapped = fc
  .tuple(
    fc.constantFrom(...DOCUMENTS),
    fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...TOKENS)), { maxLength: 4 }),
  )
  .map(([document, swaps]) => {
    const tokens = document.match(/"[^"]*":?|[^"]/g) ?? []
    for (const [place, token] of swaps) tokens[place % tokens.length] = token
    return tokens.join('')
  })

const TYPES = [MEDIA_TYPES.ociManifest, MEDIA_TYPES.ociIndex, 'application/json']
const inputs = fc.record({
  document: fc.oneof(swapped, textHavoc(DOCUMENTS)),
  type: fc.constantFrom(...TYPES),
})

describe('fuzz: documents of images', () => {
  fuzz('F8: mean one thing, which comes back, or are refused', {
    name: 'documents',
    inputs,
    check: ({ document, type }) => {
      const bytes = Buffer.from(document)
      checkManifest(bytes, type)
      const config = orTyped(['CONFIG_INVALID'], () => parseImageConfig(bytes))
      if (config === undefined) return
      assert.deepEqual(parseImageConfig(serializeImageConfig(config)), config)
    },
  })
})

function checkManifest(bytes: Buffer, type: string): void {
  const parsed = orTyped(['MANIFEST_INVALID'], () => parseManifestOrIndex(bytes, type))
  if (parsed === undefined) return
  const again =
    parsed.kind === 'index' ? serializeIndex(parsed.index) : serializeManifest(parsed.manifest)
  assert.deepEqual(parseManifestOrIndex(again, type), parsed)
  const children =
    parsed.kind === 'index'
      ? parsed.index.manifests
      : [parsed.manifest.config, ...parsed.manifest.layers]
  for (const { digest, size } of children) {
    assert.ok(isDigest(digest) && Number.isSafeInteger(size) && size >= 0)
  }
}
