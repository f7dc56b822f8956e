import type { Bytes, Descriptor, Digest } from '#core'
import type { HttpResponse, OpenBytes } from '#http'
import { pushScope } from '../auth/scope.ts'
import { cancelledError } from '../errors.ts'
import { hasBlob } from './blobs.ts'
import { BrokenUploadError, brokenSource, brokenUpload } from './broken-upload.ts'
import { SourceWatch } from './bytes.ts'
import { checkStored, locationOf, postUpload, type UploadTask, uploadError } from './upload-task.ts'

/** Bytes for a session, from its `offset` on. */
export interface SessionBytes {
  readonly open: OpenBytes
  /** Unknown: they are sent until they end. */
  readonly size?: number | undefined
}

/** A blob by what a registry knows of it. */
export type BlobName = Pick<Descriptor, 'digest' | 'size'>

const CANCEL_PATIENCE = 5_000
/** A broken upload is asked for when so many bytes may be there; sending less again is as cheap. */
const WORTH_ASKING = 64 * 1024
const ASKING_ATTEMPTS = 2
const MAX_REDIRECTS = 3
const MAX_MINIMUM = 64 * 1024 * 1024
const REDIRECTED = [307, 308]
/** Some write the unit of RFC 9110 in front. */
const RANGE = /^(?:bytes=)?0-(\d{1,15})$/

/**
 * A place of a registry that takes the bytes of one blob, in one or several parts.
 * Spec: distribution-spec v1.1 #pushing-blobs
 */
export class UploadSession {
  readonly #task: UploadTask
  /** The least that the registry wants in a part that is not the last. */
  readonly smallestPart: number
  #location: URL
  #offset = 0
  /** Of the request that was sent last. */
  #sent = 0
  #claimed: BlobName | undefined

  private constructor(task: UploadTask, location: URL, smallestPart: number) {
    this.#task = task
    this.#location = location
    this.smallestPart = smallestPart
  }

  /** Spec: #post-then-put */
  static async open(task: UploadTask): Promise<UploadSession> {
    const begun = task.isRepeatable ? task.begun?.take() : undefined
    return await UploadSession.of(task, begun ?? (await postUpload(task, { expect: [202] })))
  }

  /** The session that the answer to a POST names. */
  static async of(task: UploadTask, response: HttpResponse): Promise<UploadSession> {
    const location = await locationOf(task, response)
    if (location === undefined) {
      throw uploadError(task, 'the registry names no place for the upload')
    }
    const smallest = Number(response.headers['oci-chunk-min-length'] ?? 0)
    const isUsable = smallest > 0 && smallest <= MAX_MINIMUM
    return new UploadSession(task, location, isUsable ? smallest : 0)
  }

  /** Bytes that the registry has. */
  get offset(): number {
    return this.#offset
  }

  /**
   * Sends a part. Without a size no range is named, as docker pushes, so that all registries take it.
   * @throws {BrokenUploadError} when going on, or starting over, may help
   */
  async append(bytes: SessionBytes): Promise<void> {
    const response = await this.#send('PATCH', this.#location, bytes)
    this.#location = (await locationOf(this.#task, response)) ?? this.#location
    const expected = this.#offset + this.#sent
    const stored = storedBytes(response)
    const isDoubtful = stored !== undefined && stored !== expected
    if (isDoubtful && (await this.#ask()) && this.#offset !== expected) {
      const what = `of ${expected} bytes sent it has ${this.#offset}`
      const cause = uploadError(this.#task, what)
      throw new BrokenUploadError(cause, 'range', { attempts: 3, mayGoOn: true })
    }
    this.#offset = expected
    this.#sent = 0
  }

  /**
   * Ends the session: the registry has a blob then. What was not sent yet goes along.
   * @throws {BrokenUploadError} when going on, or starting over, may help
   */
  async commit(blob: BlobName, rest?: SessionBytes): Promise<void> {
    this.#claimed = blob
    const to = withDigest(this.#location, blob.digest)
    const response = await this.#send('PUT', to, rest)
    checkStored(this.#task, response, blob.digest)
  }

  /**
   * After a failure: learns from the registry how far the upload came, so that it goes on there.
   * False: the session is lost, or has nothing that is worth it.
   */
  async catchUp(): Promise<boolean> {
    return this.#offset + this.#sent >= WORTH_ASKING && (await this.#ask())
  }

  /** The blob, where it is there all the same: the answer to `commit` may have been lost. */
  async findStored(): Promise<BlobName | undefined> {
    const blob = this.#claimed
    if (blob === undefined || this.#offset + this.#sent < blob.size) return undefined
    const { ref, signal } = this.#task
    const asking = hasBlob(ref, { mediaType: '', ...blob }, { signal })
    return (await asking.catch(() => false)) ? blob : undefined
  }

  /**
   * Frees what the registry holds of a session. Some refuse once bytes have arrived (docker-registry
   * 2.8: "upload resumed at wrong offset"); they all clean up by themselves in the end.
   */
  async cancel(): Promise<void> {
    const { ref, doing } = this.#task
    const call = ref.endpoint.call({
      doing,
      method: 'DELETE',
      to: this.#location,
      expect: [200, 202, 204, 404, 405, 416],
      scopes: [pushScope(ref.name)],
      attempts: 1,
      signal: AbortSignal.timeout(CANCEL_PATIENCE),
    })
    // The failure of the upload is reported, not this one.
    await call.catch(() => {})
  }

  /** Spec: distribution-spec v1.1, end-13 */
  async #ask(): Promise<boolean> {
    const { ref, doing, signal } = this.#task
    const asking = ref.endpoint.call({
      doing,
      method: 'GET',
      to: this.#location,
      expect: [200, 202, 204],
      scopes: [pushScope(ref.name)],
      attempts: ASKING_ATTEMPTS,
      signal,
    })
    const response = await asking.catch(() => undefined)
    if (signal?.aborted) throw cancelledError(doing, signal)
    const stored = response === undefined ? undefined : storedBytes(response)
    if (response === undefined || stored === undefined) return false
    this.#location = (await locationOf(this.#task, response)) ?? this.#location
    this.#offset = stored
    this.#sent = 0
    return true
  }

  async #send(
    method: 'PATCH' | 'PUT',
    to: URL,
    bytes: SessionBytes | undefined,
  ): Promise<HttpResponse> {
    const { isRepeatable } = this.#task
    const most = isRepeatable ? MAX_REDIRECTS : 0
    let target = to
    for (let redirects = 0; ; redirects++) {
      const response = await this.#sendTo(method, target, {
        bytes,
        expect: redirects < most ? REDIRECTED : [],
      })
      if (!REDIRECTED.includes(response.status)) return response
      const next = await locationOf(this.#task, response)
      if (next === undefined) throw uploadError(this.#task, 'it is sent on to nowhere')
      target = next
    }
  }

  async #sendTo(
    method: 'PATCH' | 'PUT',
    to: URL,
    { bytes, expect }: { bytes: SessionBytes | undefined; expect: readonly number[] },
  ): Promise<HttpResponse> {
    const { ref, doing, signal } = this.#task
    const source = new SourceWatch(bytes?.open ?? nothing, (count) => {
      this.#sent += count
    })
    this.#sent = 0
    const open = () => source.bytes()
    try {
      return await ref.endpoint.call({
        doing,
        method,
        to,
        expect: [...expect, ...(method === 'PATCH' ? [202, 204] : [200, 201, 204])],
        headers: { 'content-type': 'application/octet-stream', ...this.#range(method, bytes) },
        // Without bytes it may be repeated as it is.
        body: bytes && { kind: 'stream', open, size: bytes.size },
        scopes: [pushScope(ref.name)],
        signal,
      })
    } catch (error) {
      if (signal?.aborted) throw cancelledError(doing, signal)
      if (source.failure !== undefined) throw brokenSource(source.failure.error)
      throw brokenUpload(error)
    }
  }

  /** Parts name their place; all of a blob at once has none. */
  #range(
    method: 'PATCH' | 'PUT',
    bytes: SessionBytes | undefined,
  ): Readonly<Record<string, string>> {
    const size = bytes?.size ?? 0
    const isPart = size > 0 && (method === 'PATCH' || this.#offset > 0)
    return isPart ? { 'content-range': `${this.#offset}-${this.#offset + size - 1}` } : {}
  }
}

async function* nothing(): Bytes {}

/** How many bytes a session has; `0-0` is said of none as well as of one. */
function storedBytes(response: HttpResponse): number | undefined {
  const last = Number(RANGE.exec(response.headers.range ?? '')?.[1] ?? 0)
  return last === 0 ? undefined : last + 1
}

/** Appends to the query and keeps it byte for byte: it may be signed. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`
  return url
}
