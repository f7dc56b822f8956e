export type { BlobStore } from './blobs/blob-store.ts'
export type { CacheMountRequest, CacheMounts, OpenCacheMounts } from './cache-mounts.ts'
export type { KnownContent } from './digests/digest-block.ts'
export { type FileDigests, hasFileDigests, openFileDigests } from './digests/file-digests.ts'
export type { TemporaryDirectory } from './filesystem/presence.ts'
export type { OnWait, Wait } from './filesystem/waits.ts'
export type { ImageNames, NamedImage, SetNameOptions } from './image-names.ts'
export { type CacheKey, cacheKeyOf } from './records/cache-key.ts'
export type { CacheRecord, CacheRecords, NewCacheRecord } from './records/cache-records.ts'
export { moveOwners } from './records/layer-folder.ts'
export { isStackLayerId, type LayerId, layerId, stackLayerId } from './records/layer-id.ts'
export type { LayerFacts, LayerRecord, TarFacts } from './records/layer-record.ts'
export type { Layers } from './records/layers.ts'
export type { LeaseOptions } from './records/leases.ts'
export type {
  CacheCallOptions,
  CachedLayer,
  CachedResult,
  Candidate,
  NewResult,
  RemoteLayer,
  ResultCache,
  StoredLayer,
} from './records/result-cache.ts'
export { openStore, type Store, type StoreOptions } from './store.ts'
export { resolveRoot } from './store-root.ts'
export { type StoreUsage, storeUsage } from './usage.ts'
