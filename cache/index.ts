import type { BlobSink, BlobSource, Descriptor, DiffId, Digest, Json, Name } from '#core'
import type { CacheKey } from './cache-key.ts'

export { type CacheKey, cacheKeyOf } from './cache-key.ts'

declare const layerIdBrand: unique symbol
export type LayerId = string & { readonly [layerIdBrand]: true }

export interface BlobStore extends BlobSource, BlobSink {
  path(digest: Digest): string
  /** Bytes. */
  stat(digest: Digest): number | undefined
  putBytes(mediaType: string, bytes: Uint8Array): Promise<Descriptor>
  adopt(file: string, digest: Digest, size: number): Promise<void>
  delete(digest: Digest): void
}

export interface NamedImage {
  readonly name: string
  readonly descriptor: Descriptor
  readonly createdAt?: Date
}

export interface ImageNames {
  list(): readonly NamedImage[]
  get(name: string): NamedImage | undefined
  set(name: string, descriptor: Descriptor): Promise<void>
  remove(name: string): Promise<boolean>
}

export interface CacheRecord {
  readonly key: CacheKey
  readonly preimage: Json
  readonly layer: LayerId | undefined
  readonly description: string
  readonly createdAt: Date
  readonly lastUsedAt: Date
}

export interface NewCacheRecord {
  readonly key: CacheKey
  readonly family: CacheKey
  readonly preimage: Json
  readonly layer: LayerId | undefined
  readonly description: string
}

export interface CacheRecords {
  find(key: CacheKey): CacheRecord | undefined
  put(record: NewCacheRecord): void
  alias(key: CacheKey, target: CacheKey): void
  hasFamily(family: CacheKey): boolean
}

export interface LayerRecord {
  readonly id: LayerId
  readonly diffId?: DiffId
  /** Bytes of the uncompressed tar. */
  readonly size?: number
  readonly directory: boolean
}

export interface TarFacts {
  readonly diffId: DiffId
  readonly size: number
}

export interface Layers {
  get(id: LayerId): LayerRecord | undefined
  findByDiffId(diffId: DiffId): LayerRecord | undefined
  directory(id: LayerId): string
  commitDirectory(
    directory: string,
    facts?: { readonly id?: LayerId; readonly diffId?: DiffId; readonly size?: number },
  ): Promise<LayerRecord>
  register(tar: TarFacts): LayerRecord
  setTar(id: LayerId, tar: TarFacts): LayerRecord
  compressed(diffId: DiffId): readonly Descriptor[]
  addCompressed(diffId: DiffId, descriptor: Descriptor): void
}

export interface LeaseOptions {
  readonly signal?: AbortSignal | undefined
  /** Called once, when another holder makes this one wait. */
  readonly onWait?: (holder: { readonly pid: number }) => void
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

export interface Store extends AsyncDisposable {
  readonly root: string
  readonly blobs: BlobStore
  readonly images: ImageNames
  readonly records: CacheRecords
  readonly layers: Layers
  lease(key: CacheKey, options?: LeaseOptions): Promise<AsyncDisposable>
  temporary(): TemporaryDirectory
  sync(): Promise<void>
}

export declare function openStore(root: string): Store

/** What identifies a file's content; a `Stats` of `node:fs` is one. */
export interface FileIdentity {
  readonly dev: number
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

export interface FileDigests {
  get(path: Name, file: FileIdentity): Digest | undefined
  put(path: Name, file: FileIdentity, digest: Digest): void
  flush(): void
}

export declare function openFileDigests(root: string, tree: string): FileDigests
