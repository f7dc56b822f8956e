/**
 * Results in the config of an image, under a field of our own. Their layers are those of the image, so what
 * blobs hold them is said by the manifest.
 */
import type { CacheKey } from '#cache'
import {
  chunkedAnnotations,
  type Descriptor,
  type Json,
  RESULTS_FIELD,
  readDocument,
  type Shaped,
  shapes,
} from '#core'
import { toDiffId, toKey, toSize, toTime } from './checked-fields.ts'
import { RecordSet } from './record-set.ts'
import type { SharedLink, SharedResult } from './shared-result.ts'

const { integer, list, object, string } = shapes

const RESULT = object({
  key: string,
  family: string,
  inputs: list(string),
  description: string,
  created: string,
  diffId: string,
  size: integer,
})

const CONFIG = object({
  [RESULTS_FIELD]: object({
    results: list(RESULT),
    links: list(object({ key: string, target: string })),
    families: list(string),
  }),
  rootfs: object({ diff_ids: list(string) }),
})

/** A result whose layer the image has. */
export interface InlineResult
  extends Pick<SharedResult, 'key' | 'family' | 'inputs' | 'description' | 'createdAt'> {
  readonly layer: Pick<SharedResult['layer'], 'diffId' | 'size'>
  readonly aliases: readonly SharedLink['target'][]
}

/** What is put into the config: the same for the same steps, whenever they are built. */
export function inlineJson(
  results: readonly InlineResult[],
  families: ReadonlySet<CacheKey>,
): Json {
  const sorted = [...results].sort((a, b) => (a.key < b.key ? -1 : 1))
  return {
    results: sorted.map(({ key, family, inputs, description, createdAt, layer }) => {
      const { diffId, size } = layer
      return { key, family, inputs, description, created: createdAt.toISOString(), diffId, size }
    }),
    links: sorted.flatMap(({ key: target, aliases }) => aliases.map((key) => ({ key, target }))),
    families: [...families].sort(),
  }
}

/**
 * The results in a config; `undefined` when it has none.
 * @param layers of the image's manifest
 * @throws {TsbuildError} CONFIG_INVALID, MANIFEST_INVALID
 */
export function parseInlineRecords(
  config: Uint8Array,
  layers: readonly Descriptor[],
): RecordSet | undefined {
  const document = readDocument(config, CONFIG, { what: 'image config', code: 'CONFIG_INVALID' })
  const { [RESULTS_FIELD]: inline, rootfs = {} } = document
  if (inline === undefined) return undefined
  const diffIds = rootfs.diff_ids ?? []
  const records = new RecordSet()
  for (const fields of inline.results ?? []) {
    const blob = layers[diffIds.indexOf(fields.diffId ?? '')]
    if (blob !== undefined) records.addResult(toResult(fields, blob))
  }
  for (const { key, target } of inline.links ?? []) {
    records.addLink(toKey(key), { target: toKey(target), usedOn: 0 })
  }
  for (const family of inline.families ?? []) records.addFamily(toKey(family), 0)
  return records
}

function toResult(
  fields: Shaped<typeof RESULT>,
  { mediaType, digest, size, ...said }: Descriptor,
): SharedResult {
  return {
    key: toKey(fields.key),
    family: toKey(fields.family),
    inputs: (fields.inputs ?? []).map(toKey),
    description: fields.description ?? '',
    createdAt: toTime(fields.created),
    usedOn: 0,
    preimage: null,
    layer: {
      diffId: toDiffId(fields.diffId),
      size: toSize(fields.size),
      presumed: undefined,
      blobs: [{ mediaType, digest, size, ...chunkedAnnotations(said) }],
    },
  }
}
