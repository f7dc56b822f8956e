import type { RepositoryName } from '#cache'
import {
  type BlobSink,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type Digest,
  type EncodedDocument,
  type TransferOptions,
  TsbuildError,
} from '#core'
import type { FetchedManifest } from '#registry-client'

/**
 * Where a cache lies: an index under one name, the manifests that it lists, and blobs. All of them are
 * ordinary parts of OCI images, so that any registry, and any tool for layouts, keeps them.
 */
export interface CacheShelf extends AsyncDisposable {
  /** As messages name it: `registry.example/app:cache`. */
  readonly name: string
  /** The repository that has its blobs, if that is one. */
  readonly origin: RepositoryName | undefined
  /** The same object each time. */
  readonly source: BlobSource & Pick<BlobSink, 'has'>
  /** What is under the name, whatever it is. @throws {TsbuildError} NOT_FOUND */
  readIndex(options: TransferOptions): Promise<FetchedManifest>
  /** @throws {TsbuildError} NOT_FOUND */
  readManifest(digest: Digest, options: TransferOptions): Promise<FetchedManifest>
  /** Takes a blob over from one of the repositories, or another that may have it; false: it has to be put. */
  mountBlob(
    blob: Descriptor,
    from: readonly RepositoryName[],
    options: TransferOptions,
  ): Promise<boolean>
  /** @param open called again for another attempt */
  putBlob(blob: Descriptor, open: OpenBlob, options: TransferOptions): Promise<void>
  /** Puts a blob whose digest is known at its end. */
  streamBlob(mediaType: string, open: OpenBlob, options: TransferOptions): Promise<Descriptor>
  /** Puts a manifest under its digest; what it refers to is there. */
  putManifest(document: EncodedDocument, options: TransferOptions): Promise<Descriptor>
  /** Gives the name to an index; the manifests that it lists are there. */
  putIndex(document: EncodedDocument, options: TransferOptions): Promise<void>
  /** How several writers go on beside each other. */
  readonly writers: Writers
}

/** Opens the bytes of a blob. */
export type OpenBlob = () => Bytes | Promise<Bytes>

/**
 * `turns`: one writer at a time has the lock. `swap`: an index is replaced only in the version that the
 * writer has read. `entries`: each writer leaves what it adds under a name of its own first, where readers
 * find it, and merges it into the index then.
 */
export type Writers =
  | { readonly kind: 'turns'; lock(options: TransferOptions): Promise<Disposable> }
  | ({ readonly kind: 'swap' } & Swap)
  | ({ readonly kind: 'entries' } & Entries)

/** An index that can be replaced in just one version. */
export interface Swap {
  hold(options: TransferOptions): Promise<HeldIndex>
  /** Removes what no index needs any more, where that is allowed and it is time. */
  tidy(options: TransferOptions): Promise<void>
}

/** An index as a writer has read it. */
export interface HeldIndex {
  /** `undefined`: there is none. */
  readonly index: FetchedManifest | undefined
  /** It is to be written again even if nothing changes, so that nothing takes it for unused. */
  readonly isOld: boolean
  /** Puts another index in its place. @returns false: there is another one already */
  replace(document: EncodedDocument, options: TransferOptions): Promise<boolean>
}

/** What writers have added that may not be in the index yet, by names that follow each other in time. */
export interface Entries {
  /** Names behind `after`, in order; those that registries list in a bounded number of answers. */
  list(after: string, options: TransferOptions): Promise<readonly string[]>
  /** @throws {TsbuildError} NOT_FOUND */
  read(name: string, options: TransferOptions): Promise<FetchedManifest>
  put(name: string, document: EncodedDocument, options: TransferOptions): Promise<Descriptor>
  /** Removes one. @throws {TsbuildError} where that is not allowed */
  remove(digest: Digest, options: TransferOptions): Promise<void>
}

/** Whether there is nothing under a name or a digest. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof TsbuildError && cause.code === 'NOT_FOUND'
}
