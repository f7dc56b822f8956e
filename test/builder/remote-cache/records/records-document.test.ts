import assert from 'node:assert/strict'
import { asDiffId, digestOf, type Json, MEDIA_TYPES, RESULTS_FIELD } from '#core'
import { parseCacheIndex } from '../../../../builder/remote-cache/index/cache-index.ts'
import {
  inlineJson,
  parseInlineRecords,
} from '../../../../builder/remote-cache/records/inline-records.ts'
import { RecordSet } from '../../../../builder/remote-cache/records/record-set.ts'
import {
  parseRecords,
  serializeRecords,
} from '../../../../builder/remote-cache/records/records-document.ts'
import { sharedKey, sharedResult } from '../../../suites/cache-shelf.ts'

const digest = digestOf('blob')
const blob = { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: 4 }
const KEY = sharedKey('a')

function recordsOf(...names: readonly string[]): RecordSet {
  const records = new RecordSet()
  for (const name of names) {
    const { layer } = sharedResult(name, blob)
    const blobs = [{ ...blob, signature: 'c2ln' }] as const
    records.addResult(sharedResult(name, blob, { layer: { ...layer, blobs } }))
    records.addLink(sharedKey(`link ${name}`), { target: sharedKey(name), usedOn: 1 })
  }
  return records
}

type Document = Record<string, Json> & {
  results: Record<string, Json>[]
  links: Record<string, Json>[]
}

function changed(change: (document: Document) => void): Buffer {
  const document = JSON.parse(serializeRecords(recordsOf('a')).toString()) as Document
  change(document)
  return Buffer.from(JSON.stringify(document))
}

/** What a hostile cache may say, and what is wrong with it. */
const REFUSED: readonly (readonly [string, (document: Document) => void])[] = [
  ['another format', (one) => Object.assign(one, { format: 2 })],
  ['a key that is a path', ({ results }) => Object.assign(results[0] ?? {}, { key: '../../etc' })],
  ['no key', ({ results }) => delete results[0]?.key],
  ['an input that is no key', ({ results }) => Object.assign(results[0] ?? {}, { inputs: ['x'] })],
  [
    'a time without a zone',
    ({ results }) => Object.assign(results[0] ?? {}, { created: '2026-01-01' }),
  ],
  ['a day in the past', ({ results }) => Object.assign(results[0] ?? {}, { used: -1 })],
  ['no layer', ({ results }) => delete results[0]?.layer],
  ['a link to a path', ({ links }) => Object.assign(links[0] ?? {}, { target: '/x' })],
  ['a list in place of an object', (one) => Object.assign(one, { results: [[]] })],
  ...(
    [
      ['a diffID of another kind', { diffId: 'md5:x' }],
      ['a negative size', { size: -1 }],
      ['a size that is no integer', { size: 1.5 }],
      ['no blob', { blobs: [] }],
      ['a blob of an unknown type', { blobs: [{ ...blob, mediaType: 'text/html' }] }],
      ['a blob without a digest', { blobs: [{ ...blob, digest: 'sha256:..' }] }],
      [
        'a plain blob with another digest',
        { blobs: [{ ...blob, mediaType: MEDIA_TYPES.ociLayer, digest: digestOf('x') }] },
      ],
    ] as const
  ).map(
    ([what, fields]) =>
      [what, ({ results }: Document) => Object.assign(results[0]?.layer ?? {}, fields)] as const,
  ),
]

describe('records of a cache as a document', () => {
  it('are read back as they were, with their signatures', () => {
    const records = recordsOf('a', 'b')
    const bytes = serializeRecords(records)
    const found = parseRecords(bytes)
    assert.deepEqual(found, records)
    assert.equal(found.results.size, 2)
    assert.deepEqual(serializeRecords(found), bytes)
  })

  it('are the same bytes in whatever order they were added', () => {
    assert.deepEqual(serializeRecords(recordsOf('a', 'b')), serializeRecords(recordsOf('b', 'a')))
  })

  it('lose a preimage that is too large to explain anything', () => {
    const records = new RecordSet()
    records.addResult(sharedResult('a', blob, { preimage: { text: 'x'.repeat(20_000) } }))
    assert.equal(parseRecords(serializeRecords(records)).results.get(KEY)?.preimage, null)
  })

  it('are taken with fields that are not known yet', () => {
    const bytes = changed((one) => Object.assign(one, { later: [1, { more: true }] }))
    assert.equal(parseRecords(bytes).results.size, 1)
  })

  for (const [what, change] of REFUSED) {
    it(`are refused with ${what}`, () => {
      assert.throws(() => parseRecords(changed(change)), { code: 'MANIFEST_INVALID' })
    })
  }
})

describe('records in the config of an image', () => {
  const { layer, ...facts } = sharedResult('a', blob)
  const configOf = (results: Json): Buffer =>
    Buffer.from(JSON.stringify({ rootfs: { diff_ids: [layer.diffId] }, [RESULTS_FIELD]: results }))

  it('have the blobs of the manifest', () => {
    const json = inlineJson([{ ...facts, layer, aliases: [sharedKey('link')] }], new Set([KEY]))
    const found = parseInlineRecords(configOf(json), [blob])
    assert.deepEqual(found?.results.get(facts.key)?.layer.blobs, [blob])
    assert.equal(found?.links.get(sharedKey('link'))?.target, facts.key)
    assert.ok(found?.families.has(KEY))
  })

  it('are left out where the image has no such layer', () => {
    const other = { ...layer, diffId: asDiffId(digestOf('other')) }
    const json = inlineJson([{ ...facts, layer: other, aliases: [] }], new Set())
    assert.equal(parseInlineRecords(configOf(json), [blob])?.results.size, 0)
  })

  it('are none in a usual config', () => {
    assert.equal(parseInlineRecords(Buffer.from('{"rootfs":{"diff_ids":[]}}'), []), undefined)
  })
})

describe('the index of a cache', () => {
  const index = (annotations: Record<string, string>, part: Record<string, string>) => {
    const manifests = [{ ...blob, mediaType: MEDIA_TYPES.ociManifest, annotations: part }]
    const mediaType = MEDIA_TYPES.ociIndex
    const all = { 'tsbuild.cache.updated': '1', ...annotations }
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType, manifests, annotations: all }),
    )
    return { bytes, descriptor: { mediaType, digest, size: bytes.length } }
  }
  const part = { 'tsbuild.cache.prefix': 'a', 'tsbuild.cache.records': digest }

  it('is read', () => {
    const merged = { 'tsbuild.cache.merged': `abc-1@${digest}@5` }
    const { parts, merged: entries } = parseCacheIndex(index(merged, part))
    assert.equal(parts[0]?.prefix, 'a')
    assert.deepEqual(entries, [{ name: 'abc-1', digest, mergedAt: 5 }])
  })

  for (const [what, annotations, described] of [
    ['a part that is not described', {}, {}],
    ['a prefix that is no digit', {}, { ...part, 'tsbuild.cache.prefix': '..' }],
    ['a size that is none', {}, { ...part, 'tsbuild.cache.records.size': '-5' }],
    ['an entry that is a path', { 'tsbuild.cache.merged': `../x@${digest}@5` }, part],
    ['a mark that is a path', { 'tsbuild.cache.mark': '../x' }, part],
    ['a time that is none', { 'tsbuild.cache.updated': 'now' }, part],
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => parseCacheIndex(index(annotations, described)), {
        code: 'MANIFEST_INVALID',
      })
    })
  }
})
