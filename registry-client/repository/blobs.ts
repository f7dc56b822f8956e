import {
  type Bytes,
  type Descriptor,
  type TransferOptions,
  type TsbuildError,
  verified,
} from '#core'
import type { AnswerStream, HttpResponse } from '../../http/exchange.ts'
import { attemptsFor, backoff, MAX_ATTEMPTS } from '../../http/retry.ts'
import { pullScope } from '../auth/scope.ts'
import { brokenExchange, cancelled, RegistryError } from '../errors.ts'
import { skipping } from './bytes.ts'
import type { Place } from './manifests.ts'

/** Bytes; a connection that breaks after as many is a new trouble, not more of the old one. */
const PROGRESS = 1024 * 1024

/**
 * Whether the registry has a blob. What a host behind a redirect answers to HEAD says little
 * (storage services often sign GET only), so only the registry's own refusal is an error.
 */
export async function hasBlob(
  place: Place,
  descriptor: Descriptor,
  options: TransferOptions,
): Promise<boolean> {
  const response = await place.endpoint.call({
    doing: `look for blob ${descriptor.digest} in ${place.endpoint.registry}/${place.name}`,
    method: 'HEAD',
    to: `${place.name}/blobs/${descriptor.digest}`,
    expect: [200, 404],
    expectElsewhere: [400, 401, 403, 405],
    scopes: [pullScope(place.name)],
    signal: options.signal,
  })
  const length = response.headers['content-length']
  return response.status === 200 && (length === undefined || Number(length) === descriptor.size)
}

/**
 * Opens a blob, verified while it flows. A connection that breaks is taken up again where it ended.
 * Spec: distribution-spec v1.1 #pulling-blobs
 */
export async function openBlob(
  place: Place,
  descriptor: Descriptor,
  options: TransferOptions,
): Promise<Bytes> {
  const download = new Download(place, descriptor, options)
  const first = await download.request(0)
  return verified(download.bytes(first), descriptor)
}

class Download {
  readonly #place: Place
  readonly #blob: Descriptor
  readonly #signal: AbortSignal | undefined
  readonly #doing: string

  constructor(place: Place, blob: Descriptor, { signal }: TransferOptions) {
    this.#place = place
    this.#blob = blob
    this.#signal = signal
    this.#doing = `pull blob ${blob.digest} from ${place.endpoint.registry}/${place.name}`
  }

  /** The rest of the blob from `offset` on. */
  async request(offset: number): Promise<AnswerStream> {
    const { endpoint, name } = this.#place
    const response = await endpoint.call({
      doing: this.#doing,
      method: 'GET',
      to: `${name}/blobs/${this.#blob.digest}`,
      expect: offset === 0 ? [200] : [200, 206],
      headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
      answer: 'stream',
      scopes: [pullScope(name)],
      signal: this.#signal,
    })
    const { stream } = response
    if (stream === undefined) throw new Error('a stream was asked for')
    const problem = this.#problemWith(response, offset)
    if (problem === undefined) {
      return response.status === 206 ? stream : { ...stream, bytes: skipping(stream.bytes, offset) }
    }
    stream.discard()
    throw problem
  }

  async *bytes(first: AnswerStream): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#blob
    const { timing } = this.#place.endpoint
    let stream = first
    let offset = 0
    let failures = 0
    let failedAt = 0
    for (;;) {
      let failure: unknown = new CutShort(this.#blob)
      try {
        for await (const chunk of stream.bytes) {
          offset += chunk.length
          yield chunk
        }
        if (offset >= size) return
      } catch (error) {
        if (this.#signal?.aborted) throw cancelled(this.#doing, this.#signal)
        failure = error
      }
      failures = offset - failedAt >= PROGRESS ? 1 : failures + 1
      failedAt = offset
      if (failures >= Math.min(attemptsFor(failure), MAX_ATTEMPTS)) throw this.#explain(failure)
      await this.#pause(backoff(failures, undefined, timing))
      stream = await this.request(offset)
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    try {
      await this.#place.endpoint.timing.sleep(milliseconds, this.#signal)
    } catch (error) {
      throw this.#signal?.aborted ? cancelled(this.#doing, this.#signal) : error
    }
  }

  /** What is wrong with an answer before any of its bytes has been looked at. */
  #problemWith({ status, headers }: HttpResponse, offset: number): RegistryError | undefined {
    const { size } = this.#blob
    const { 'content-length': length, 'content-encoding': encoding = 'identity' } = headers
    if (encoding !== 'identity') return this.#wrong('it is sent with a content encoding')
    const wanted = status === 206 ? size - offset : size
    if (length !== undefined && Number(length) !== wanted) {
      const message = `${wanted} bytes expected, ${Number(length)} offered`
      return this.#wrong(message, 'SIZE_MISMATCH')
    }
    const range = headers['content-range']
    if (status === 206 && !range?.startsWith(`bytes ${offset}-`)) {
      return this.#wrong('another part than asked for is sent')
    }
    return undefined
  }

  #wrong(
    what: string,
    code: 'REGISTRY_FAILED' | 'SIZE_MISMATCH' = 'REGISTRY_FAILED',
  ): RegistryError {
    const hint = 'the registry, or a proxy before it, changes what it sends'
    return new RegistryError(`${this.#doing}: ${what}`, { code, hint })
  }

  #explain(failure: unknown): TsbuildError {
    if (failure instanceof CutShort) return this.#wrong(failure.message, 'SIZE_MISMATCH')
    return brokenExchange(failure, {
      doing: this.#doing,
      registry: this.#place.endpoint.registry,
    })
  }
}

/** HTTP/1.0 without a length ends a body by closing: a lost connection looks like success. */
class CutShort extends Error {
  readonly code = 'ECONNRESET'

  constructor({ size }: Descriptor) {
    super(`the connection ends before ${size} bytes have come`)
  }
}
