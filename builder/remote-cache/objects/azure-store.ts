import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import type { AzurePlace } from '#builder/options'
import type { Bytes, TransferOptions } from '#core'
import {
  aborting,
  azureCall,
  isMissing,
  openBlob,
  PIPELINE,
  putBlob,
  statusOf,
} from './azure-blobs.ts'
import type {
  DocumentChange,
  FoundObject,
  ListedObject,
  ReadOptions,
  StoredBlob,
  TendedStore,
  VersionedDocument,
} from './object-store.ts'
import { collectDocument, type StoreSubject } from './store-error.ts'

/** A container of Azure's blob storage, through Microsoft's own client. */
export class AzureStore implements TendedStore {
  readonly #name: string
  readonly #client: ContainerClient

  constructor(place: AzurePlace) {
    const { accountUrl, accountName, container, secretAccessKey: key } = place
    const url = new URL(accountUrl)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${container}`
    const credential =
      key === undefined ? undefined : new StorageSharedKeyCredential(accountName, key)
    // A signature in the query is a secret.
    this.#name = `${url.origin}${url.pathname}`
    this.#client = new ContainerClient(url.href, credential, PIPELINE)
  }

  async readDocument(
    key: string,
    { signal, limit }: ReadOptions,
  ): Promise<VersionedDocument | undefined> {
    const subject = this.#subject('read', key)
    return await azureCall(subject, signal, async () => {
      try {
        const client = this.#client.getBlockBlobClient(key)
        const found = await client.download(0, undefined, aborting(signal))
        const body = found.readableStreamBody as unknown as Bytes
        const bytes = await collectDocument(body, { ...subject, limit })
        return { bytes, version: found.etag ?? '', modified: found.lastModified }
      } catch (cause) {
        if (isMissing(cause)) return undefined
        throw cause
      }
    })
  }

  async replaceDocument(
    key: string,
    { bytes, version }: DocumentChange,
    { signal }: TransferOptions,
  ): Promise<boolean> {
    const conditions = version === undefined ? { ifNoneMatch: '*' } : { ifMatch: version }
    return await azureCall(this.#subject('write', key), signal, async () => {
      try {
        const client = this.#client.getBlockBlobClient(key)
        await client.upload(bytes, bytes.length, { ...aborting(signal), conditions })
        return true
      } catch (cause) {
        if (REPLACED.has(statusOf(cause) ?? 0) || isMissing(cause)) return false
        throw cause
      }
    })
  }

  async find({ key }: StoredBlob, { signal }: TransferOptions): Promise<FoundObject | undefined> {
    return await azureCall(this.#subject('look for', key), signal, async () => {
      try {
        const client = this.#client.getBlockBlobClient(key)
        const { contentLength, lastModified } = await client.getProperties(aborting(signal))
        return { size: contentLength ?? -1, modified: lastModified }
      } catch (cause) {
        if (isMissing(cause)) return undefined
        throw cause
      }
    })
  }

  async open(
    { key }: StoredBlob,
    options: TransferOptions & { readonly from: number },
  ): Promise<Bytes> {
    const client = this.#client.getBlockBlobClient(key)
    return await openBlob(client, options, this.#subject('read', key))
  }

  async put({ key, size }: StoredBlob, bytes: Bytes, { signal }: TransferOptions): Promise<void> {
    const client = this.#client.getBlockBlobClient(key)
    await putBlob(client, { size, bytes, signal }, this.#subject('write', key))
  }

  async *list(prefix: string, { signal }: TransferOptions): AsyncGenerator<ListedObject> {
    const pages = this.#client.listBlobsFlat({ prefix, ...aborting(signal) }).byPage()
    for (;;) {
      const page = await azureCall(this.#subject('list', prefix), signal, () => pages.next())
      if (page.done === true) return
      for (const { name, properties } of page.value.segment.blobItems) {
        const { contentLength = 0, lastModified } = properties
        yield { key: name, size: contentLength, modified: lastModified }
      }
    }
  }

  async remove({ key, modified }: ListedObject, { signal }: TransferOptions): Promise<void> {
    const conditions = { ifUnmodifiedSince: modified }
    await azureCall(this.#subject('remove', key), signal, async () => {
      try {
        const client = this.#client.getBlockBlobClient(key)
        await client.delete({ ...aborting(signal), conditions })
      } catch (cause) {
        if (!REPLACED.has(statusOf(cause) ?? 0) && !isMissing(cause)) throw cause
      }
    })
  }

  async touch({ key }: StoredBlob, { signal }: TransferOptions): Promise<void> {
    await azureCall(this.#subject('refresh', key), signal, async () => {
      await this.#client.getBlockBlobClient(key).setMetadata({}, aborting(signal))
    })
  }

  /** Idle connections keep no process alive. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #subject(verb: string, key: string): StoreSubject {
    return { doing: `${verb} ${key}`, store: this.#name, deniedHint: DENIED_HINT }
  }
}

/** Statuses of answers to a condition that does not hold. */
const REPLACED: ReadonlySet<number> = new Set([409, 412])

const DENIED_HINT =
  'check secret_access_key, or the signature in account_url; it must allow to read, write and list blobs'
