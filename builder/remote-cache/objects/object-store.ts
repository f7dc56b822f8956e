import type { Bytes, TransferOptions } from '#core'

/**
 * A store of objects under keys. An object is visible once it is whole, and a document is only replaced in
 * the version that the writer has read: so of several writers none takes away what another has added.
 */
export interface ObjectStore extends AsyncDisposable {
  /** `undefined`: there is none. @throws {TsbuildError} SIZE_MISMATCH when it has more than `limit` bytes */
  readDocument(key: string, options: ReadOptions): Promise<VersionedDocument | undefined>
  /**
   * Puts a document in the place of a version, or where there is none.
   * @returns false: another writer was faster, and what it has written is to be read
   */
  replaceDocument(key: string, change: DocumentChange, options: TransferOptions): Promise<boolean>
  /** `undefined`: there is none. */
  find(blob: StoredBlob, options: TransferOptions): Promise<FoundObject | undefined>
  /**
   * Opens a blob from a byte on. Nothing is verified.
   * @throws {TsbuildError} NOT_FOUND
   */
  open(blob: StoredBlob, options: TransferOptions & { readonly from: number }): Promise<Bytes>
  /** Puts a blob. Nothing is kept of it when `bytes` fail. */
  put(blob: StoredBlob, bytes: Bytes, options: TransferOptions): Promise<void>
}

/** A store in which objects can be listed, removed, and kept from being taken for old. */
export interface TendedStore extends ObjectStore {
  /** Keys with a prefix, each with its time. */
  list(prefix: string, options: TransferOptions): AsyncIterable<ListedObject>
  /** Removes an object that has not been written or touched since `listed`. */
  remove(listed: ListedObject, options: TransferOptions): Promise<void>
  /** Makes a blob as young as if it had just been written. */
  touch(blob: StoredBlob, options: TransferOptions): Promise<void>
}

/** A blob, whose key says what its content is. */
export interface StoredBlob {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

/** How a document is read. */
export interface ReadOptions extends TransferOptions {
  /** The most bytes that it may have. */
  readonly limit: number
}

/** A document with the name that the store gives to just this version of it. */
export interface VersionedDocument {
  readonly bytes: Buffer
  readonly version: string
  /** `undefined`: the store does not say. */
  readonly modified: Date | undefined
}

/** What a document becomes. */
export interface DocumentChange {
  readonly bytes: Buffer
  /** What is replaced; `undefined`: there is none yet. */
  readonly version: string | undefined
}

/** What is known of an object. Times are the store's. */
export interface FoundObject {
  readonly size: number
  /** `undefined`: the store does not say. */
  readonly modified: Date | undefined
}

/** An object of a list. */
export interface ListedObject extends StoredBlob {
  readonly modified: Date
}
