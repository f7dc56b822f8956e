export type { CacheMountRequest, OpenCacheMounts } from './cache-mounts.ts'
export { type FileDigests, openFileDigests, sizeOfFileDigests } from './digests/file-digests.ts'
export { lock as lockFile } from './filesystem/file-lock.ts'
export type { TemporaryDirectory } from './filesystem/presence.ts'
export type { OnWait } from './filesystem/waits.ts'
export type { NamedImage } from './image-names.ts'
export { type CacheKey, cacheKeyOf, isCacheKey } from './records/cache-key.ts'
export type { CacheRecord } from './records/cache-records.ts'
export { moveOwners } from './records/layer-folder.ts'
export { isStackLayerId, type LayerId, layerId, stackLayerId } from './records/layer-id.ts'
export type { LayerRecord, TarFacts } from './records/layer-record.ts'
export type {
  CacheCallOptions,
  CachedResult,
  Candidate,
  NewResult,
  RemoteLayer,
  RepositoryName,
  ResultCache,
  ResultSource,
} from './records/result-cache.ts'
export { openStore, type Store } from './store.ts'
export { resolveRoot } from './store-root.ts'
export { storeUsage } from './usage.ts'
