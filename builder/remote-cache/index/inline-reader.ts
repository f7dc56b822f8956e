import {
  collect,
  type Descriptor,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  MEDIA_TYPES,
  parseManifestOrIndex,
  type TransferOptions,
} from '#core'
import { parseInlineRecords } from '../records/inline-records.ts'
import { RecordSet } from '../records/record-set.ts'
import type { CacheShelf } from '../shelf/cache-shelf.ts'

type Parsed = ReturnType<typeof parseManifestOrIndex>

const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig])

/** Images of an index that are looked at. */
const MOST_IMAGES = 16

/** The results that images have in their configs; `undefined`: none of them has any. */
export async function readInline(
  shelf: CacheShelf,
  parsed: Parsed,
  options: TransferOptions,
): Promise<RecordSet | undefined> {
  if (parsed.kind === 'manifest') return readConfig(shelf, parsed.manifest, options)
  const images = parsed.index.manifests.filter(({ mediaType }) => isManifestType(mediaType))
  const all = new RecordSet()
  let hasAny = false
  for (const { digest } of images.slice(0, MOST_IMAGES)) {
    const { bytes, descriptor } = await shelf.readManifest(digest, options)
    const one = parseManifestOrIndex(bytes, descriptor.mediaType)
    const found = one.kind === 'manifest' && (await readConfig(shelf, one.manifest, options))
    if (!found) continue
    hasAny = true
    all.addAll(found)
  }
  return hasAny ? all : undefined
}

async function readConfig(
  { source }: CacheShelf,
  { config, layers }: { readonly config: Descriptor; readonly layers: readonly Descriptor[] },
  options: TransferOptions,
): Promise<RecordSet | undefined> {
  if (!CONFIG_TYPES.has(config.mediaType)) return undefined
  if (config.size > MAX_DOCUMENT_BYTES) return undefined
  const bytes = await collect(await source.open(config, options), MAX_DOCUMENT_BYTES)
  return parseInlineRecords(bytes, layers)
}
