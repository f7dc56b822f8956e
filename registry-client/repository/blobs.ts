import {
  type Bytes,
  type Descriptor,
  type Digest,
  type OpenOptions,
  type TransferOptions,
  type TsbuildError,
  verified,
} from '#core'
import { type AnswerStream, attemptsFor, backoff, type HttpResponse, MAX_ATTEMPTS } from '#http'
import { deleteScope, pullScope } from '../auth/scope.ts'
import { cancelledError, exchangeError, RegistryError } from '../errors.ts'
import { skipping } from './bytes.ts'
import { Failures } from './failures.ts'
import type { RepositoryRef } from './repository-ref.ts'

/**
 * Whether the registry has a blob. Only the registry's own refusal is an error, not that of a host
 * behind a redirect: storage services often sign GET only.
 */
export async function hasBlob(
  ref: RepositoryRef,
  descriptor: Descriptor,
  options: TransferOptions,
): Promise<boolean> {
  const response = await ref.endpoint.call({
    doing: `look for blob ${descriptor.digest} in ${ref.endpoint.registry}/${ref.name}`,
    method: 'HEAD',
    to: `${ref.name}/blobs/${descriptor.digest}`,
    expect: [200, 404],
    expectElsewhere: [400, 401, 403, 405],
    scopes: [pullScope(ref.name)],
    signal: options.signal,
  })
  const length = response.headers['content-length']
  return response.status === 200 && (length === undefined || Number(length) === descriptor.size)
}

/**
 * Opens a blob, verified while it flows unless the receiver does that. A connection that breaks is taken up again where it ended.
 * Spec: distribution-spec v1.1 #pulling-blobs
 */
export async function openBlob(
  ref: RepositoryRef,
  descriptor: Descriptor,
  options: OpenOptions,
): Promise<Bytes> {
  const download = new Download(ref, descriptor, options)
  const bytes = download.bytes(await download.request(0))
  return options.checkedBy === 'receiver' ? bytes : verified(bytes, descriptor)
}

/**
 * Removes a blob from a repository; one that is not there is fine. Few registries let their users do this.
 * Spec: distribution-spec v1.1 #deleting-blobs
 * @throws {TsbuildError} REGISTRY_DENIED, REGISTRY_FAILED
 */
export async function deleteBlob(
  ref: RepositoryRef,
  digest: Digest,
  { signal }: TransferOptions,
): Promise<void> {
  await ref.endpoint.call({
    doing: `delete blob ${digest} of ${ref.endpoint.registry}/${ref.name}`,
    method: 'DELETE',
    to: `${ref.name}/blobs/${digest}`,
    expect: [200, 202, 204, 404],
    scopes: [deleteScope(ref.name)],
    attempts: 1,
    signal,
  })
}

class Download {
  readonly #ref: RepositoryRef
  readonly #blob: Descriptor
  readonly #signal: AbortSignal | undefined
  readonly #doing: string
  /** Makes a server that has other bytes now send all of them. */
  #sameBytes: { readonly 'if-range'?: string } = {}

  constructor(ref: RepositoryRef, blob: Descriptor, { signal }: TransferOptions) {
    this.#ref = ref
    this.#blob = blob
    this.#signal = signal
    this.#doing = `pull blob ${blob.digest} from ${ref.endpoint.registry}/${ref.name}`
  }

  /** The rest of the blob from `offset` on, of the bytes that came before: some servers keep several. */
  async request(offset: number): Promise<AnswerStream> {
    const { endpoint, name } = this.#ref
    const response = await endpoint.call({
      doing: this.#doing,
      method: 'GET',
      to: `${name}/blobs/${this.#blob.digest}`,
      expect: offset === 0 ? [200] : [200, 206],
      headers: offset === 0 ? {} : { range: `bytes=${offset}-`, ...this.#sameBytes },
      answer: 'stream',
      scopes: [pullScope(name)],
      signal: this.#signal,
    })
    const { stream } = response
    if (stream === undefined) throw new Error('a stream was asked for')
    const error = this.#errorIn(response, offset)
    if (error !== undefined) {
      stream.discard()
      throw error
    }
    const { etag } = response.headers
    // Only a strong one says that bytes are the same. Spec: RFC 9110 13.1.5
    const isStrong = etag !== undefined && /^"[^"]{1,200}"$/.test(etag)
    this.#sameBytes = isStrong ? { 'if-range': etag } : {}
    return response.status === 206 ? stream : { ...stream, bytes: skipping(stream.bytes, offset) }
  }

  async *bytes(first: AnswerStream): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#blob
    const { endpoint } = this.#ref
    const failures = new Failures(MAX_ATTEMPTS)
    let stream = first
    let offset = 0
    for (;;) {
      let failure: unknown = new TruncatedBodyError(this.#blob)
      try {
        for await (const chunk of stream.bytes) {
          offset += chunk.length
          yield chunk
        }
        if (offset >= size) return
      } catch (error) {
        if (this.#signal?.aborted) throw cancelledError(this.#doing, this.#signal)
        failure = error
      }
      const isWorthIt = failures.add('network', attemptsFor(failure), offset)
      if (!isWorthIt) throw this.#toError(failure)
      const pause = backoff(failures.count, undefined, endpoint.timing)
      await endpoint.pause(pause, { doing: this.#doing, signal: this.#signal })
      stream = await this.request(offset)
    }
  }

  /** What the head of an answer shows to be wrong. */
  #errorIn({ status, headers }: HttpResponse, offset: number): RegistryError | undefined {
    const { size } = this.#blob
    const { 'content-length': length, 'content-encoding': encoding = 'identity' } = headers
    if (encoding !== 'identity') return this.#unusableError('it is sent with a content encoding')
    const wanted = status === 206 ? size - offset : size
    if (length !== undefined && Number(length) !== wanted) {
      const message = `${wanted} bytes expected, ${Number(length)} offered`
      return this.#unusableError(message, 'SIZE_MISMATCH')
    }
    const range = headers['content-range']
    if (status === 206 && !range?.startsWith(`bytes ${offset}-`)) {
      return this.#unusableError('another part than asked for is sent')
    }
    return undefined
  }

  #unusableError(
    what: string,
    code: 'REGISTRY_FAILED' | 'SIZE_MISMATCH' = 'REGISTRY_FAILED',
  ): RegistryError {
    const hint = 'the registry, or a proxy before it, changes what it sends'
    return new RegistryError(`${this.#doing}: ${what}`, { code, hint })
  }

  #toError(failure: unknown): TsbuildError {
    if (failure instanceof TruncatedBodyError)
      return this.#unusableError(failure.message, 'SIZE_MISMATCH')
    return exchangeError(failure, {
      doing: this.#doing,
      registry: this.#ref.endpoint.registry,
    })
  }
}

/** HTTP/1.0 without a length ends a body by closing: a broken connection looks like success. */
class TruncatedBodyError extends Error {
  readonly code = 'ECONNRESET'

  constructor({ size }: Descriptor) {
    super(`the connection ends before ${size} bytes have come`)
  }
}
