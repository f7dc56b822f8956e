/**
 * The records of one part of a cache as a document. Whoever may write to a cache decides what a step has
 * given, and nothing else: every field is checked, and none of them becomes a path.
 */
import type { CacheKey } from '#cache'
import {
  asDiffId,
  canonicalJson,
  chunkedAnnotations,
  compressionOf,
  DESCRIPTOR_SHAPE,
  type DiffId,
  type Json,
  MAX_DOCUMENT_BYTES,
  type OwnedFiles,
  readDocument,
  type Shaped,
  shapes,
  toDescriptor,
} from '#core'
import { invalidError, toDay, toDiffId, toKey, toSize, toTime } from './checked-fields.ts'
import { RecordSet } from './record-set.ts'
import type { SharedBlob, SharedLayer, SharedResult } from './shared-result.ts'

/** The media type of a document of records. */
export const RECORDS_TYPE = 'application/vnd.tsbuild.cache.records.v1+json'

/** Raised when an older tsbuild would misunderstand a document: it takes the part as empty then. */
const FORMAT = 1
/** Characters. */
const MOST_DESCRIPTION = 1000
/** Characters of a preimage; a larger one explains a miss to nobody. */
const MOST_PREIMAGE = 16 * 1024
const MOST_BLOBS = 16

const { any, integer, list, object, string } = shapes

const LAYER = object({
  diffId: string,
  size: integer,
  blobs: list(DESCRIPTOR_SHAPE),
  signatures: list(string),
  presumed: object({
    count: integer,
    first: list(object({ path: string, uid: integer, gid: integer })),
  }),
})

const RESULT = object({
  key: string,
  family: string,
  inputs: list(string),
  description: string,
  created: string,
  used: integer,
  preimage: any,
  layer: LAYER,
})

const DOCUMENT = object({
  format: integer,
  results: list(RESULT),
  links: list(object({ key: string, target: string, used: integer, signature: string })),
  families: list(object({ key: string, used: integer })),
})

/** The bytes of a set: equal for equal sets. */
export function serializeRecords(records: RecordSet): Buffer {
  const byKey = <T>([a]: readonly [CacheKey, T], [b]: readonly [CacheKey, T]): number =>
    a < b ? -1 : 1
  const document = {
    format: FORMAT,
    results: [...records.results].sort(byKey).map(([, result]) => resultJson(result)),
    links: [...records.links].sort(byKey).map(([key, { target, usedOn, signature }]) => {
      return { key, target, used: usedOn, ...(signature === undefined ? {} : { signature }) }
    }),
    families: [...records.families].sort(byKey).map(([key, used]) => ({ key, used })),
  }
  return Buffer.from(canonicalJson(document as unknown as Json))
}

function resultJson({ layer, createdAt, usedOn, preimage, ...facts }: SharedResult): Json {
  const { key, family, inputs, description } = facts
  const { diffId, size, presumed, blobs } = layer
  const isSigned = blobs.some(({ signature }) => signature !== undefined)
  const isKept = canonicalJson(preimage).length <= MOST_PREIMAGE
  const json = {
    ...{ key, family, inputs },
    description: description.slice(0, MOST_DESCRIPTION),
    created: createdAt.toISOString(),
    used: usedOn,
    ...(isKept ? { preimage } : {}),
    layer: {
      ...{ diffId, size },
      blobs: blobs.map(({ mediaType, digest, size: bytes, ...blob }) => ({
        ...{ mediaType, digest, size: bytes },
        ...chunkedAnnotations(blob),
      })),
      ...(isSigned ? { signatures: blobs.map(({ signature = '' }) => signature) } : {}),
      ...(presumed === undefined ? {} : { presumed }),
    },
  }
  return json as unknown as Json
}

/** @throws {TsbuildError} MANIFEST_INVALID */
export function parseRecords(bytes: Uint8Array): RecordSet {
  const { format, results = [], links = [], families = [] } = readDocument(bytes, DOCUMENT, READING)
  if (format !== FORMAT) throw invalidError(`it has the format ${format}`)
  const records = new RecordSet()
  for (const one of results) {
    const result = toResult(one)
    records.results.set(result.key, result)
  }
  for (const { key, target, used, signature } of links) {
    const link = { target: toKey(target), usedOn: toDay(used) }
    records.links.set(toKey(key), signature === undefined ? link : { ...link, signature })
  }
  for (const { key, used } of families) records.families.set(toKey(key), toDay(used))
  return records
}

/** The largest document that `parseRecords` reads, in bytes. */
export const MOST_RECORD_BYTES: number = MAX_DOCUMENT_BYTES

const READING = { what: 'records of a cache', code: 'MANIFEST_INVALID' } as const

function toResult(fields: Shaped<typeof RESULT>): SharedResult {
  const { description = '', inputs = [], preimage = null, layer } = fields
  if (layer === undefined) throw invalidError('a result has no layer')
  return {
    key: toKey(fields.key),
    family: toKey(fields.family),
    inputs: inputs.map(toKey),
    description,
    createdAt: toTime(fields.created),
    usedOn: toDay(fields.used),
    preimage,
    layer: toLayer(layer),
  }
}

function toLayer(fields: Shaped<typeof LAYER>): SharedLayer {
  const { diffId, size, blobs = [], signatures = [], presumed } = fields
  const [first, ...others] = blobs
    .slice(0, MOST_BLOBS)
    .map((blob, index) => toBlob(blob, { diffId: toDiffId(diffId), signature: signatures[index] }))
  if (first === undefined) throw invalidError('a layer has no blob')
  return {
    diffId: toDiffId(diffId),
    size: toSize(size),
    blobs: [first, ...others],
    presumed: presumed && toOwnedFiles(presumed),
  }
}

function toBlob(
  fields: Shaped<typeof DESCRIPTOR_SHAPE>,
  { diffId, signature }: { readonly diffId: DiffId; readonly signature: string | undefined },
): SharedBlob {
  const { mediaType, digest, size } = toDescriptor(fields, 'a blob of a layer')
  const compression = compressionOf(mediaType)
  if (compression === undefined)
    throw invalidError(`a layer has the type ${mediaType.slice(0, 100)}`)
  if (compression === 'none' && asDiffId(digest) !== diffId) {
    throw invalidError('an uncompressed layer has another digest than its content')
  }
  const said = chunkedAnnotations(fields)
  return { mediaType, digest, size, ...said, ...(signature ? { signature } : {}) }
}

function toOwnedFiles({
  count,
  first = [],
}: NonNullable<Shaped<typeof LAYER>['presumed']>): OwnedFiles {
  return {
    count: toSize(count),
    first: first.slice(0, 3).map(({ path = '', uid = 0, gid = 0 }) => ({ path, uid, gid })),
  }
}
