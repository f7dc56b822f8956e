export type { BlobDraft } from './blobs/blob-draft.ts'
export { completeParts, readParts } from './blobs/parted-blob.ts'
export type { BuildFolders } from './builds/build-folders.ts'
export type { LogPiece } from './builds/log-segments.ts'
export { StepLog } from './builds/step-log.ts'
export type { CacheMountRequest, OpenCacheMounts } from './cache-mounts.ts'
export { type CollectionRequest, keptAmong } from './collection/choice.ts'
export { Collector } from './collection/collector.ts'
export { parseFilters } from './collection/filter.ts'
export { type StoreItem, sumOfBytes } from './collection/store-item.ts'
export {
  type FileDigests,
  openFileDigests,
  sizeOfFileDigests,
} from './digests/file-digests.ts'
export { elsewhereOf, markElsewhere } from './elsewhere.ts'
export type { EngineDocument, EngineDocuments, EngineKind } from './engine/engine-documents.ts'
export { lock as lockFile } from './filesystem/file-lock.ts'
export { layoutOf } from './filesystem/layout.ts'
export type { TemporaryDirectory } from './filesystem/presence.ts'
export type { OnWait } from './filesystem/waits.ts'
export type { NamedImage, UnnamedImage } from './image-entries.ts'
export type { BuildTrace, NewBuildTrace } from './records/build-traces.ts'
export { type CacheKey, cacheKeyOf, isCacheKey } from './records/cache-key.ts'
export type { CacheRecord } from './records/cache-records.ts'
export { moveOwners } from './records/layer-folder.ts'
export {
  isStackLayerId,
  type LayerId,
  layerId,
  stackLayerId,
  wholeLayerId,
} from './records/layer-id.ts'
export { hasFolder, type LayerRecord, type TarFacts } from './records/layer-record.ts'
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
export { freeBytes, isSurelyWithin, type SpaceLimits } from './size-note.ts'
export { openStore, type Store } from './store.ts'
export { resolveRoot } from './store-root.ts'
export { contentsOfFolder, copiedStateFile } from './tar-contents.ts'
export { storeUsage } from './usage.ts'
export { checkClosedStore } from './verification/check-closed.ts'
export { checkIndex } from './verification/check-index.ts'
export { checkLost, checkRows } from './verification/check-rows.ts'
export type { Finding } from './verification/finding.ts'
export { checkLeftovers } from './verification/leftovers.ts'
export { auditStore, type FoundBlob, type StoreAudit } from './verification/store-audit.ts'
export { kindOf } from './verification/store-files.ts'
