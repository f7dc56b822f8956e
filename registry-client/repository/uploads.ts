import {
  type Bytes,
  type Descriptor,
  type Digest,
  Digester,
  isDamaged,
  type TransferOptions,
  verified,
} from '#core'
import {
  attemptsFor,
  backoff,
  type HttpResponse,
  isRetriedStatus,
  MAX_ATTEMPTS,
  type OpenBytes,
} from '#http'
import { pullScope, pushScope } from '../auth/scope.ts'
import type { Call } from '../endpoint/endpoint.ts'
import { resolveLocation } from '../endpoint/location.ts'
import { cancelledError, plainText, RegistryError } from '../errors.ts'
import { SourceWatch, withholdingLast } from './bytes.ts'
import type { RepositoryRef } from './repository-ref.ts'

const CANCEL_PATIENCE = 5_000
/** Few, since uploading is always possible. */
const MOUNT_ATTEMPTS = 2
/** Lost sessions and stale tokens: starting over helps. */
const RESTARTED_STATUS = new Set([401, 404, 416])

/** Sends a blob whose digest is known: one POST, one PUT. Spec: #post-then-put */
export async function putBlob(
  ref: RepositoryRef,
  descriptor: Descriptor,
  { open, isRepeatable, signal }: { open: OpenBytes; isRepeatable: boolean } & TransferOptions,
): Promise<void> {
  const upload = new Upload(ref, `push blob ${descriptor.digest}`, signal)
  const checked = async function* (): Bytes {
    yield* withholdingLast(verified(await open(), descriptor))
  }
  await upload.repeat(isRepeatable ? MAX_ATTEMPTS : 1, async (location) => {
    const to = withDigest(location, descriptor.digest)
    const response = await upload.stream('PUT', to, { open: checked, size: descriptor.size })
    upload.checkStored(response, descriptor.digest)
  })
}

/**
 * Sends bytes whose digest comes out at their end: POST, one endless PATCH, PUT. No Content-Range
 * is sent, since the end of the range is unknown; docker pushes in the same way, so all registries
 * take it.
 */
export async function streamBlob(
  ref: RepositoryRef,
  mediaType: string,
  { open, signal }: { open: OpenBytes } & TransferOptions,
): Promise<Descriptor> {
  const upload = new Upload(ref, 'push a layer', signal)
  return upload.repeat(MAX_ATTEMPTS, async (location) => {
    const seen = new Digester()
    const hashed = async function* (): Bytes {
      for await (const chunk of await open()) {
        seen.update(chunk)
        yield chunk
      }
    }
    const patched = await upload.stream('PATCH', location, { open: hashed })
    const next = await upload.locationOf(patched, location)
    const digest = seen.digest()
    upload.checkStored(await upload.finish(withDigest(next, digest)), digest)
    return { mediaType, digest, size: seen.size }
  })
}

/**
 * What became of a mount. `missing`: the registry starts an upload instead, or does not know `from`; `failed`:
 * for a reason that says nothing of `from`.
 */
type MountOutcome = 'mounted' | 'missing' | 'denied' | 'failed'

/**
 * Takes a blob over from another repository. That nothing was mounted is no error, whatever the reason: a user
 * who may not read `from` may still push, and a registry that fails at mounting may still take an upload.
 * Spec: distribution-spec v1.1 #mounting-a-blob-from-another-repository
 */
export async function mountBlob(
  ref: RepositoryRef,
  descriptor: Descriptor,
  { from, signal }: { from: string } & TransferOptions,
): Promise<MountOutcome> {
  const upload = new Upload(ref, `mount blob ${descriptor.digest} of ${from}`, signal)
  const query = new URLSearchParams({ mount: descriptor.digest, from })
  try {
    const response = await upload.post(`?${query}`, {
      expect: [201, 202],
      scopes: [pullScope(from)],
      attempts: MOUNT_ATTEMPTS,
    })
    if (response.status === 201) {
      upload.checkStored(response, descriptor.digest)
      return 'mounted'
    }
    await upload.cancel(await upload.locationOf(response))
    return 'missing'
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    if (error.code === 'REGISTRY_DENIED') return 'denied'
    return error.code === 'NOT_FOUND' ? 'missing' : 'failed'
  }
}

/** The upload of one blob, through as many upload sessions as it takes. */
class Upload {
  readonly #ref: RepositoryRef
  readonly #doing: string
  readonly #signal: AbortSignal | undefined

  constructor(ref: RepositoryRef, doing: string, signal: AbortSignal | undefined) {
    this.#ref = ref
    this.#doing = `${doing} to ${ref.endpoint.registry}/${ref.name}`
    this.#signal = signal
  }

  /** Opens a session for `send`, and a new one when its stream breaks. */
  async repeat<T>(attempts: number, send: (location: URL) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const location = await this.locationOf(await this.post('', { expect: [202], scopes: [] }))
      try {
        return await send(location)
      } catch (error) {
        await this.cancel(location)
        if (!(error instanceof BrokenStreamError)) throw error
        if (attempt >= Math.min(attempts, error.attempts)) throw error.cause
        const { endpoint } = this.#ref
        const pause = backoff(attempt, error.retryAfter, endpoint.timing)
        await endpoint.pause(pause, { doing: this.#doing, signal: this.#signal })
      }
    }
  }

  post(
    query: string,
    { expect, scopes, attempts }: Pick<Call, 'expect' | 'attempts'> & { scopes: readonly string[] },
  ): Promise<HttpResponse> {
    const { name, endpoint } = this.#ref
    return endpoint.call({
      doing: this.#doing,
      method: 'POST',
      to: `${name}/blobs/uploads/${query}`,
      expect,
      scopes: [pushScope(name), ...scopes],
      attempts,
      signal: this.#signal,
    })
  }

  /** @throws {BrokenStreamError} when starting over may help */
  async stream(
    method: 'PATCH' | 'PUT',
    to: URL,
    { open, size }: { open: OpenBytes; size?: number },
  ): Promise<HttpResponse> {
    const source = new SourceWatch(open)
    try {
      return await this.#ref.endpoint.call({
        doing: this.#doing,
        method,
        to,
        expect: method === 'PATCH' ? [202, 204] : [200, 201, 204],
        headers: { 'content-type': 'application/octet-stream' },
        body: { kind: 'stream', open: () => source.bytes(), size },
        scopes: [pushScope(this.#ref.name)],
        signal: this.#signal,
      })
    } catch (error) {
      if (this.#signal?.aborted) throw cancelledError(this.#doing, this.#signal)
      if (source.failure !== undefined) throw restartableSource(source.failure.error)
      throw restartable(error)
    }
  }

  /** Ends a session by naming what was sent; may be repeated, as it carries no bytes. */
  finish(to: URL): Promise<HttpResponse> {
    return this.#ref.endpoint.call({
      doing: this.#doing,
      method: 'PUT',
      to,
      expect: [200, 201, 204],
      headers: { 'content-type': 'application/octet-stream' },
      scopes: [pushScope(this.#ref.name)],
      signal: this.#signal,
    })
  }

  /**
   * Frees what the registry holds of a session. Some refuse once bytes have arrived (docker-registry
   * 2.8: "upload resumed at wrong offset"); they all clean up by themselves in the end.
   */
  async cancel(location: URL): Promise<void> {
    const { endpoint, name } = this.#ref
    const call = endpoint.call({
      doing: this.#doing,
      method: 'DELETE',
      to: location,
      expect: [200, 202, 204, 404, 405, 416],
      scopes: [pushScope(name)],
      attempts: 1,
      signal: AbortSignal.timeout(CANCEL_PATIENCE),
    })
    // The failure of the upload is reported, not this one.
    await call.catch(() => {})
  }

  /** Where the session goes on: where it was, when an answer has no such header. */
  async locationOf(response: HttpResponse, current?: URL): Promise<URL> {
    const { location } = response.headers
    if (location === undefined) {
      if (current !== undefined) return current
      throw this.#unusableError('the registry names no place for the upload')
    }
    const { origin } = await this.#ref.endpoint.channel()
    return resolveLocation(location, response.url, origin)
  }

  checkStored(response: HttpResponse, digest: Digest): void {
    const stored = response.headers['docker-content-digest'] ?? digest
    if (stored === digest) return
    throw this.#unusableError(`the registry stored it as ${plainText(stored)}`, 'DIGEST_MISMATCH')
  }

  #unusableError(
    what: string,
    code: 'DIGEST_MISMATCH' | 'REGISTRY_FAILED' = 'REGISTRY_FAILED',
  ): RegistryError {
    const hint = 'try again; if it stays so, ask those who run the registry'
    return new RegistryError(`${this.#doing}: ${what}`, { code, hint })
  }
}

/** A stream that broke, though not by its source. */
class BrokenStreamError extends Error {
  override readonly cause: Error
  readonly attempts: number
  readonly retryAfter: number | undefined

  constructor(cause: Error, attempts: number, retryAfter: number | undefined) {
    super(cause.message)
    this.cause = cause
    this.attempts = attempts
    this.retryAfter = retryAfter
  }
}

/** Damaged bytes of a source are fetched once more. */
function restartableSource(error: unknown): unknown {
  const isWorthIt = error instanceof Error && isDamaged(error)
  return isWorthIt ? new BrokenStreamError(error, 2, undefined) : error
}

function restartable(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error
  const { status, retryAfter } = error
  if (status === undefined) return new BrokenStreamError(error, attemptsFor(error.cause), undefined)
  if (isRetriedStatus(status)) return new BrokenStreamError(error, MAX_ATTEMPTS, retryAfter)
  return RESTARTED_STATUS.has(status) ? new BrokenStreamError(error, 2, retryAfter) : error
}

/** Appends to the query and keeps it byte for byte: it may be signed. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`
  return url
}
