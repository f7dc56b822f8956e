export type { BlobStore } from './blobs/blob-store.ts'
export type { CacheMountRequest, CacheMounts, OpenCacheMounts } from './cache-mounts.ts'
export type { KnownContent } from './digests/digest-block.ts'
export { type FileDigests, hasFileDigests, openFileDigests } from './digests/file-digests.ts'
export type { TemporaryDirectory } from './filesystem/presence.ts'
export type { OnWait, Wait } from './filesystem/waits.ts'
export type { ImageNames, NamedImage, SetNameOptions } from './image-names.ts'
export { type CacheKey, cacheKeyOf } from './records/cache-key.ts'
export type { CacheRecord, CacheRecords, NewCacheRecord } from './records/cache-records.ts'
export {
  type LayerFacts,
  type LayerId,
  type LayerRecord,
  type Layers,
  layerId,
  moveOwners,
  type TarFacts,
} from './records/layers.ts'
export type { LeaseOptions } from './records/leases.ts'
export { openStore, type Store, type StoreOptions } from './store.ts'
export { resolveRoot } from './store-root.ts'
export { type StoreUsage, storeUsage } from './usage.ts'
