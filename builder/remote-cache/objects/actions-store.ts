import { setTimeout } from 'node:timers/promises'
import { BlockBlobClient } from '@azure/storage-blob'
import type { ActionsPlace } from '#builder/options'
import { type Bytes, randomName, type TransferOptions, TsbuildError, throwIfCancelled } from '#core'
import { ActionsService } from './actions-service.ts'
import { openBlob, PIPELINE, putBlob } from './azure-blobs.ts'
import type {
  DocumentChange,
  FoundObject,
  ObjectStore,
  ReadOptions,
  StoredBlob,
  VersionedDocument,
} from './object-store.ts'
import { collectDocument, missingError } from './store-error.ts'

/** Milliseconds after which a writer gives up a revision that it has begun with. */
const WRITTEN_WITHIN = 10_000
/** Milliseconds: twice what its writer may take, and more. It was killed. */
const GONE_AFTER = 30_000
/** Milliseconds between looks for it. */
const PAUSE = 400

/**
 * The cache service of GitHub Actions. Its entries are written once, so a document has revisions, `KEY#1` and
 * so on, the latest of which counts: of several writers only one can make the next.
 */
export class ActionsStore implements ObjectStore {
  readonly #service: ActionsService
  readonly #timeout: number
  readonly #goneAfter: number

  /** @param goneAfter milliseconds after which a revision that does not appear is passed over */
  constructor({ url, token, timeout }: ActionsPlace, goneAfter: number = GONE_AFTER) {
    if (url === undefined || token === undefined) {
      throw new TsbuildError('there is no cache service of GitHub Actions', {
        code: 'REGISTRY_UNREACHABLE',
        hint: 'hand ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN to the step, or write url_v2 and token',
      })
    }
    this.#service = new ActionsService({ url, token })
    this.#timeout = timeout
    this.#goneAfter = goneAfter
  }

  async readDocument(
    key: string,
    { limit, ...options }: ReadOptions,
  ): Promise<VersionedDocument | undefined> {
    return await this.#within(this.#timeout, options, async (timed) => {
      const latest = await this.#latest(key, timed)
      if (latest === undefined) return undefined
      const subject = this.#service.subject(`read ${key}#${latest.revision}`)
      const body = await openBlob(clientOf(latest.url), { ...timed, from: 0 }, subject)
      const bytes = await collectDocument(body, { ...subject, limit })
      return { bytes, version: String(latest.revision), modified: undefined }
    })
  }

  async replaceDocument(
    key: string,
    { bytes, version = '0' }: DocumentChange,
    options: TransferOptions,
  ): Promise<boolean> {
    const next = Number(version) + 1
    const put = async (revision: number): Promise<boolean> =>
      (await this.#putRevision(`${key}#${revision}`, bytes, options)) &&
      (await this.#isLatest(key, revision, options))
    if (await put(next)) return true
    return !(await this.#appears(key, next, options)) && (await put(next + 1))
  }

  /** The key has the size, and only entries that are whole are visible. */
  async find(blob: StoredBlob, options: TransferOptions): Promise<FoundObject | undefined> {
    const url = await this.#within(this.#timeout, options, (timed) => this.#findBlob(blob, timed))
    return url === undefined ? undefined : { size: blob.size, modified: undefined }
  }

  async open(
    blob: StoredBlob,
    { from, ...options }: TransferOptions & { readonly from: number },
  ): Promise<Bytes> {
    const subject = this.#service.subject(`read ${blob.key}`)
    return await this.#within(this.#timeout, options, async (timed) => {
      const url = await this.#findBlob(blob, timed)
      if (url === undefined) throw missingError(subject)
      return await openBlob(clientOf(url), { ...timed, from }, subject)
    })
  }

  async put(blob: StoredBlob, bytes: Bytes, options: TransferOptions): Promise<void> {
    const subject = this.#service.subject(`write ${blob.key}`)
    await this.#within(this.#timeout, options, async (timed) => {
      // Another writer may have begun with the entry, and was killed: then no one can write it any more.
      const names = [entryOf(blob), `${entryOf(blob)}~${randomName(8)}`]
      for (const name of names) {
        const url = await this.#service.create(name, timed)
        if (url === undefined) continue
        await putBlob(clientOf(url), { ...timed, size: blob.size, bytes }, subject)
        return await this.#service.finish(name, blob.size, timed)
      }
      throw new TsbuildError(`${subject.doing}: ${subject.store} takes no new entry`, {
        code: 'REGISTRY_FAILED',
      })
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#service.close()
  }

  async #findBlob(blob: StoredBlob, timed: TransferOptions): Promise<string | undefined> {
    const key = entryOf(blob)
    const entry = await this.#service.find({ key, prefix: `${key}~` }, timed)
    return entry?.key === key || entry?.key.startsWith(`${key}~`) ? entry.url : undefined
  }

  /** A writer that takes too long begins again, as one that was not fast enough. */
  async #putRevision(key: string, bytes: Buffer, options: TransferOptions): Promise<boolean> {
    try {
      return await this.#within(WRITTEN_WITHIN, options, (timed) =>
        this.#putEntry(key, bytes, timed),
      )
    } catch (cause) {
      if (cause instanceof LateError) return false
      throw cause
    }
  }

  async #putEntry(key: string, bytes: Buffer, timed: TransferOptions): Promise<boolean> {
    const url = await this.#service.create(key, timed)
    if (url === undefined) return false
    const size = bytes.length
    await putBlob(
      clientOf(url),
      { ...timed, size, bytes: inOnePiece(bytes) },
      this.#service.subject(`write ${key}`),
    )
    await this.#service.finish(key, size, timed)
    return true
  }

  async #latest(
    key: string,
    timed: TransferOptions,
  ): Promise<{ readonly revision: number; readonly url: string } | undefined> {
    const prefix = `${key}#`
    const entry = await this.#service.find({ key: prefix, prefix }, timed)
    if (entry === undefined || !entry.key.startsWith(prefix)) return undefined
    const revision = Number(entry.key.slice(prefix.length))
    return Number.isSafeInteger(revision) ? { revision, url: entry.url } : undefined
  }

  /** A writer that was passed over has to merge what it adds into what came after. */
  async #isLatest(key: string, revision: number, options: TransferOptions): Promise<boolean> {
    const latest = await this.#latest(key, options)
    return latest === undefined || latest.revision <= revision
  }

  /** Whether the revision that another writer has begun with becomes visible. */
  async #appears(key: string, revision: number, options: TransferOptions): Promise<boolean> {
    const { signal } = options
    const until = performance.now() + this.#goneAfter
    while (performance.now() < until) {
      if (((await this.#latest(key, options))?.revision ?? 0) >= revision) return true
      const cancel = signal === undefined ? {} : { signal }
      await setTimeout(PAUSE * (0.5 + Math.random()), undefined, cancel)
    }
    return false
  }

  async #within<T>(
    milliseconds: number,
    { signal: outer }: TransferOptions,
    request: (timed: TransferOptions) => Promise<T>,
  ): Promise<T> {
    const late = AbortSignal.timeout(milliseconds)
    const signal = outer === undefined ? late : AbortSignal.any([outer, late])
    try {
      return await request({ signal })
    } catch (cause) {
      throwIfCancelled(outer, 'use the cache of GitHub Actions')
      throw late.aborted ? new LateError(milliseconds) : cause
    }
  }
}

/** What was to be done took too long. */
class LateError extends TsbuildError {
  constructor(milliseconds: number) {
    super(`the cache of GitHub Actions took more than ${milliseconds / 1000} s`, {
      code: 'REGISTRY_UNREACHABLE',
    })
  }
}

/** The key of an entry of its own for each size. */
function entryOf({ key, size }: StoredBlob): string {
  return `${key}-${size}`
}

/** A signed URL needs no credential. */
function clientOf(url: string): BlockBlobClient {
  return new BlockBlobClient(url, undefined, PIPELINE)
}

async function* inOnePiece(bytes: Uint8Array): Bytes {
  yield bytes
}
