import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { S3Place } from '#builder/options'
import { type Bytes, collect, type TransferOptions, TsbuildError, throwIfCancelled } from '#core'
import type {
  DocumentChange,
  FoundObject,
  ListedObject,
  ReadOptions,
  StoredBlob,
  TendedStore,
  VersionedDocument,
} from './object-store.ts'
import { isMissing, isReplaced, toError } from './s3-errors.ts'
import { collectDocument, missingError } from './store-error.ts'

/** Bytes of a part of a large upload, which is held in memory while it is sent. */
const PART_SIZE = 8 * 1024 * 1024
/** Of one upload: the service takes no more. */
const MOST_PARTS = 10_000
/** Bytes: what is larger cannot be copied by one request, and stays as old as it is. */
const LARGEST_COPY = 5 * 1024 ** 3
/** Milliseconds. */
const CONNECT_WITHIN = 10_000
const SILENT_FOR = 60_000

/**
 * A bucket of Amazon's S3, or of what speaks its protocol, through Amazon's own client. Credentials come from
 * where all tools of Amazon take them, unless the place has its own.
 */
export class S3Store implements TendedStore {
  readonly #name: string
  readonly #place: S3Place
  readonly #client: S3Client

  constructor(place: S3Place) {
    this.#name = `s3://${place.bucket}`
    this.#place = place
    this.#client = new S3Client(configOf(place))
  }

  async readDocument(
    key: string,
    { signal, limit }: ReadOptions,
  ): Promise<VersionedDocument | undefined> {
    const doing = `read ${key}`
    return await this.#call(doing, signal, async () => {
      const found = await this.#get({ Key: key }, signal)
      if (found === undefined) return undefined
      const { ETag: version = '', LastModified: modified } = found
      const bytes = await collectDocument(found.Body as Bytes, { doing, limit })
      return { bytes, version, modified }
    })
  }

  async replaceDocument(
    key: string,
    { bytes, version }: DocumentChange,
    { signal }: TransferOptions,
  ): Promise<boolean> {
    const condition = version === undefined ? { IfNoneMatch: '*' } : { IfMatch: version }
    const input = { ...this.#object(key), Body: bytes, ContentType: 'application/json' }
    return await this.#call(`write ${key}`, signal, async () => {
      try {
        await this.#client.send(new PutObjectCommand({ ...input, ...condition }), aborting(signal))
        return true
      } catch (cause) {
        if (isReplaced(cause)) return false
        throw cause
      }
    })
  }

  async find({ key }: StoredBlob, { signal }: TransferOptions): Promise<FoundObject | undefined> {
    return await this.#call(`look for ${key}`, signal, async () => {
      try {
        const head = new HeadObjectCommand(this.#object(key))
        const found = await this.#client.send(head, aborting(signal))
        const { ContentLength: size = -1, LastModified: modified } = found
        return { size, modified }
      } catch (cause) {
        if (isMissing(cause)) return undefined
        throw cause
      }
    })
  }

  async open(
    { key }: StoredBlob,
    { signal, from }: TransferOptions & { readonly from: number },
  ): Promise<Bytes> {
    const doing = `read ${key}`
    const range = from === 0 ? {} : { Range: `bytes=${from}-` }
    return await this.#call(doing, signal, async () => {
      const found = await this.#get({ Key: key, ...range }, signal)
      if (found === undefined) throw missingError({ doing, store: this.#name })
      return found.Body as Bytes
    })
  }

  async put({ key, size }: StoredBlob, bytes: Bytes, { signal }: TransferOptions): Promise<void> {
    await this.#call(`write ${key}`, signal, async () => {
      if (size > PART_SIZE) return this.#putParts({ key, size }, bytes, { signal })
      const input = { ...this.#object(key), Body: await collect(bytes, size) }
      await this.#client.send(new PutObjectCommand(input), aborting(signal))
    })
  }

  async *list(prefix: string, { signal }: TransferOptions): AsyncGenerator<ListedObject> {
    const { bucket: Bucket } = this.#place
    let token: string | undefined
    do {
      const input = { Bucket, Prefix: prefix, ContinuationToken: token }
      const page = await this.#call(`list ${prefix}`, signal, () =>
        this.#client.send(new ListObjectsV2Command(input), aborting(signal)),
      )
      for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
        if (Key !== undefined && LastModified !== undefined) {
          yield { key: Key, size: Size, modified: LastModified }
        }
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  /** S3 cannot remove on the condition of a time: the object is looked at just before. Lists may have milliseconds. */
  async remove({ key, size, modified }: ListedObject, { signal }: TransferOptions): Promise<void> {
    const now = await this.find({ key, size }, { signal })
    const isSame = secondsOf(now?.modified) === secondsOf(modified)
    if (!isSame) return
    await this.#call(`remove ${key}`, signal, async () => {
      await this.#client.send(new DeleteObjectCommand(this.#object(key)), aborting(signal))
    })
  }

  /** Copies the blob to itself. */
  async touch({ key, size }: StoredBlob, { signal }: TransferOptions): Promise<void> {
    if (size > LARGEST_COPY) return
    const source = [this.#place.bucket, ...key.split('/')].map(encodeURIComponent).join('/')
    const copy = { CopySource: source, MetadataDirective: 'REPLACE' } as const
    await this.#call(`refresh ${key}`, signal, async () => {
      const input = { ...this.#object(key), ...copy }
      await this.#client.send(new CopyObjectCommand(input), aborting(signal))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
  }

  #object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: key }
  }

  async #get(
    input: { readonly Key: string; readonly Range?: string },
    signal: AbortSignal | undefined,
  ): Promise<GetObjectCommandOutput | undefined> {
    try {
      const get = new GetObjectCommand({ ...this.#object(input.Key), ...input })
      return await this.#client.send(get, aborting(signal))
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw cause
    }
  }

  /** Sends as many parts at a time as the place allows, each of which is in memory. */
  async #putParts(
    { key, size }: StoredBlob,
    bytes: Bytes,
    { signal }: TransferOptions,
  ): Promise<void> {
    let failure: unknown
    const source = async function* (): Bytes {
      try {
        yield* bytes
      } catch (cause) {
        failure = cause
        throw cause
      }
    }
    const abortController = new AbortController()
    const abort = (): void => abortController.abort(signal?.reason)
    signal?.addEventListener('abort', abort)
    try {
      const upload = new Upload({
        client: this.#client,
        params: { ...this.#object(key), Body: Readable.from(source(), { objectMode: false }) },
        queueSize: this.#place.uploadParallelism,
        partSize: Math.max(PART_SIZE, Math.ceil(size / MOST_PARTS)),
        abortController,
      })
      await upload.done()
    } catch (cause) {
      // What fails when the parts are given up must not hide why they were.
      throw failure ?? cause
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async #call<T>(
    doing: string,
    signal: AbortSignal | undefined,
    request: () => Promise<T>,
  ): Promise<T> {
    try {
      return await request()
    } catch (cause) {
      throwIfCancelled(signal, doing)
      throw cause instanceof TsbuildError ? cause : toError(cause, { doing, store: this.#name })
    }
  }
}

function configOf(place: S3Place): S3ClientConfig {
  const { region, endpointUrl, usePathStyle, retryMode, retryMaxAttempts } = place
  const { accessKeyId, secretAccessKey, sessionToken } = place
  const session = sessionToken === undefined ? {} : { sessionToken }
  return {
    // Digests are checked here; services of others do not know all checksums of Amazon's.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_WITHIN, socketTimeout: SILENT_FOR },
    forcePathStyle: usePathStyle,
    ...(region === undefined ? {} : { region }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    ...(retryMode === undefined ? {} : { retryMode }),
    ...(retryMaxAttempts === undefined ? {} : { maxAttempts: retryMaxAttempts }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...session } }),
  }
}

function secondsOf(time: Date | undefined): number | undefined {
  return time === undefined ? undefined : Math.floor(time.getTime() / 1000)
}

function aborting(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}
