import {
  collect,
  type Descriptor,
  type ErrorCode,
  MAX_DOCUMENT_BYTES,
  parseIndex,
  parseManifestOrIndex,
  type TransferOptions,
  TsbuildError,
  verified,
} from '#core'
import type { ListedObject, StoredBlob, TendedStore } from './object-store.ts'
import { blobObject, type PlaceKeys } from './place-keys.ts'

const DAY = 24 * 3_600_000
/**
 * Milliseconds that a blob stays which no index names. A build that finds it refreshes it when it is older
 * than 48 hours, or less, and names it within a day.
 */
const KEPT_FOR = 3 * DAY
/** Objects that are removed at one time; others wait for the next day. */
const MOST_REMOVED = 1000

/** What a collection is done with. */
export interface CollectOptions extends TransferOptions {
  readonly keys: PlaceKeys
  /** Milliseconds after which documents that an index names are written anew. */
  readonly touchRefresh: number
}

/**
 * Once a day, and by one writer only: removes blobs that no index of the place names, unless they are younger
 * than three days, and refreshes the documents that one names. Where something cannot be read, listed or
 * removed, nothing more is.
 */
export async function collectObjects(store: TendedStore, options: CollectOptions): Promise<void> {
  try {
    const now = await takeTurn(store, options)
    if (now === undefined) return
    const { documents, blobs } = await reachedFrom(store, options)
    let removed = 0
    for await (const object of store.list(options.keys.blobs, options)) {
      const age = now.getTime() - object.modified.getTime()
      if (documents.has(object.key)) {
        if (age > options.touchRefresh) await store.touch(object, options)
      } else if (!blobs.has(object.key) && age > KEPT_FOR && isBlob(object, options.keys)) {
        await store.remove(object, options)
        removed += 1
        if (removed === MOST_REMOVED) return
      }
    }
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || !UNABLE.has(cause.code)) throw cause
  }
}

/** Why there is no collection: it is not what the build is for. */
const UNABLE: ReadonlySet<ErrorCode> = new Set([
  ...(['DIGEST_MISMATCH', 'MANIFEST_INVALID', 'NOT_FOUND', 'REGISTRY_DENIED'] as const),
  ...(['REGISTRY_FAILED', 'REGISTRY_UNREACHABLE', 'SIZE_MISMATCH'] as const),
])

/** What else lies there is not ours. */
function isBlob({ key }: ListedObject, { blobs }: PlaceKeys): boolean {
  return /^sha256-[0-9a-f]{64}$/.test(key.slice(blobs.length))
}

/** @returns the time by the store's clock; `undefined`: it is not time yet, or another writer's turn */
async function takeTurn(
  store: TendedStore,
  { keys: { tended }, signal }: CollectOptions,
): Promise<Date | undefined> {
  if (tended === undefined) return undefined
  const read = () => store.readDocument(tended, { signal, limit: MAX_DOCUMENT_BYTES })
  const last = await read()
  // The local clock is good enough to count a day, and not to remove something.
  if (last?.modified !== undefined && Date.now() - last.modified.getTime() < DAY) return undefined
  const bytes = Buffer.from(JSON.stringify({ tended: new Date().toISOString() }))
  if (!(await store.replaceDocument(tended, { bytes, version: last?.version }, { signal }))) {
    return undefined
  }
  return (await read())?.modified
}

interface Reached {
  /** Keys of manifests and records. */
  readonly documents: Set<string>
  /** Keys of layers. */
  readonly blobs: Set<string>
}

async function reachedFrom(store: TendedStore, options: CollectOptions): Promise<Reached> {
  const { keys, signal } = options
  const reached: Reached = { documents: new Set(), blobs: new Set() }
  for await (const { key } of store.list(keys.indexes, { signal })) {
    const found = await store.readDocument(key, { signal, limit: MAX_DOCUMENT_BYTES })
    const parts = found === undefined ? [] : parseIndex(found.bytes).manifests
    for (const part of parts) await addPart(store, part, { ...options, reached })
  }
  return reached
}

async function addPart(
  store: TendedStore,
  part: Descriptor,
  { keys, reached, signal }: CollectOptions & { readonly reached: Reached },
): Promise<void> {
  const keyOf = (blob: Descriptor): string => blobObject(keys, blob).key
  const object: StoredBlob = blobObject(keys, part)
  if (reached.documents.has(object.key)) return
  reached.documents.add(object.key)
  const bytes = verified(await store.open(object, { from: 0, signal }), part)
  const parsed = parseManifestOrIndex(await collect(bytes, MAX_DOCUMENT_BYTES), part.mediaType)
  if (parsed.kind === 'index') return
  reached.documents.add(keyOf(parsed.manifest.config))
  for (const layer of parsed.manifest.layers) reached.blobs.add(keyOf(layer))
}
