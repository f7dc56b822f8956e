export type { BlobStore } from './blob-store.ts'
export { type CacheKey, cacheKeyOf } from './cache-key.ts'
export type { CacheMountRequest, CacheMounts, OpenCacheMounts } from './cache-mounts.ts'
export type { CacheRecord, CacheRecords, NewCacheRecord } from './cache-records.ts'
export type { KnownContent } from './digest-block.ts'
export { type FileDigests, hasFileDigests, openFileDigests } from './file-digests.ts'
export type { ImageNames, NamedImage, SetNameOptions } from './image-names.ts'
export {
  type LayerFacts,
  type LayerId,
  type LayerRecord,
  type Layers,
  layerId,
  moveOwners,
  type TarFacts,
} from './layers.ts'
export type { LeaseOptions } from './leases.ts'
export type { TemporaryDirectory } from './presence.ts'
export { openStore, type Store, type StoreOptions } from './store.ts'
export { resolveRoot } from './store-root.ts'
export { type StoreUsage, storeUsage } from './usage.ts'
export type { OnWait, Wait } from './waits.ts'
