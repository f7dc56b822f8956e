import { Readable } from 'node:stream'
import { type BlockBlobClient, RestError, type StoragePipelineOptions } from '@azure/storage-blob'
import { type Bytes, collect, type TransferOptions, TsbuildError, throwIfCancelled } from '#core'
import type { StoredBlob } from './object-store.ts'
import { answerError, missingError, type StoreSubject, unreachableError } from './store-error.ts'

/** Bytes of a block of a large upload, which is held in memory while it is sent. */
const BLOCK_SIZE = 8 * 1024 * 1024
/** Of one blob: the service takes no more. */
const MOST_BLOCKS = 50_000
/** Blocks that are sent at a time. */
const AT_ONCE = 4

/** Milliseconds are few: a cache that does not answer must not hold a build up. */
export const PIPELINE: StoragePipelineOptions = {
  retryOptions: { maxTries: 4, retryDelayInMs: 300, maxRetryDelayInMs: 5_000 },
}

/** Opens a blob from a byte on. @throws {TsbuildError} NOT_FOUND */
export async function openBlob(
  client: BlockBlobClient,
  { from, signal }: TransferOptions & { readonly from: number },
  subject: StoreSubject,
): Promise<Bytes> {
  return await azureCall(subject, signal, async () => {
    try {
      const { readableStreamBody } = await client.download(from, undefined, aborting(signal))
      return readableStreamBody as unknown as Bytes
    } catch (cause) {
      if (isMissing(cause)) throw missingError(subject)
      throw cause
    }
  })
}

/** Puts a blob, a large one in blocks. */
export async function putBlob(
  client: BlockBlobClient,
  { size, bytes, signal }: Pick<StoredBlob, 'size'> & TransferOptions & { readonly bytes: Bytes },
  subject: StoreSubject,
): Promise<void> {
  await azureCall(subject, signal, async () => {
    if (size <= BLOCK_SIZE) {
      const all = await collect(bytes, size)
      await client.upload(all, all.length, aborting(signal))
      return
    }
    const block = Math.max(BLOCK_SIZE, Math.ceil(size / MOST_BLOCKS))
    const stream = Readable.from(bytes, { objectMode: false })
    await client.uploadStream(stream, block, AT_ONCE, aborting(signal))
  })
}

/** Makes requests, whose failures become errors that hold nothing secret. */
export async function azureCall<T>(
  subject: StoreSubject,
  signal: AbortSignal | undefined,
  request: () => Promise<T>,
): Promise<T> {
  try {
    return await request()
  } catch (cause) {
    throwIfCancelled(signal, subject.doing)
    throw cause instanceof TsbuildError ? cause : toError(cause, subject)
  }
}

/** What the client takes as the way to cancel. */
export function aborting(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/** The status of an answer that was not expected. */
export function statusOf(cause: unknown): number | undefined {
  return cause instanceof RestError ? cause.statusCode : undefined
}

/** Whether there is no such blob. A container that is not there is another failure. */
export function isMissing(cause: unknown): boolean {
  return statusOf(cause) === 404 && codeOf(cause) !== 'ContainerNotFound'
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof RestError)) return ''
  const { errorCode } = (cause.details ?? {}) as { readonly errorCode?: unknown }
  return typeof errorCode === 'string' ? errorCode : (cause.code ?? '')
}

function toError(cause: unknown, subject: StoreSubject): TsbuildError {
  const status = statusOf(cause)
  if (status === undefined || !(cause instanceof RestError)) return unreachableError(cause, subject)
  // What follows are headers and numbers of the request.
  const [message = ''] = cause.message.split('\n')
  const code = codeOf(cause)
  return answerError({ status, code, message: message.startsWith('{') ? '' : message }, subject)
}
