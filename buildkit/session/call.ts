import type { Buffer } from 'node:buffer'
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CallError, type FailedStatus, statusOf } from './call-error.ts'
import { FrameReader, frameOf } from './frames.ts'
import { messageText } from './headers.ts'

/** A call that both sides send messages in. */
export interface PacketStream {
  /**
   * Resolves when there is room for more, which is not before the client has taken what was sent earlier.
   * @throws {CallError} once the call has ended
   */
  send(message: Uint8Array): Promise<void>
  /** Nothing else is sent; the client may go on. */
  end(): void
  /** To be read once. Leaving it early ends the call. It throws a `CallError` when the client fails. */
  readonly messages: AsyncIterable<Buffer>
}

/** Bytes of a message, as BuildKit has it. */
export const MOST_MESSAGE: number = 16 * 1024 * 1024

/** How a call is made. */
export interface CallContext {
  /** `/SERVICE/METHOD` */
  readonly method: string
  /** Bytes of a message that is taken. */
  readonly limit: number
  readonly signal: AbortSignal | undefined
  /** Why the session has ended; `undefined` while it has not. */
  readonly lostBecause: () => CallError | undefined
  /** Called once, when nothing of the call is left. */
  readonly onClose: () => void
}

/** One call of gRPC: a stream of HTTP/2. */
export class Call implements PacketStream {
  readonly messages: AsyncIterable<Buffer>
  readonly #stream: ClientHttp2Stream
  readonly #context: CallContext
  readonly #frames: FrameReader
  /** How the call ended; the first one counts. */
  #outcome: CallError | 'OK' | undefined
  #isLeft = false
  /** Let those go on that wait for room. */
  readonly #waiting = new Set<() => void>()

  constructor(stream: ClientHttp2Stream, context: CallContext) {
    this.#stream = stream
    this.#context = context
    this.#frames = new FrameReader(context.limit)
    this.messages = this.#receive()
    const { signal } = context
    stream.on('error', () => undefined)
    stream.on('response', (headers, flags) => this.#start(headers, flags))
    stream.on('headers', () => this.#fail(this.#error('INTERNAL', 'it sent headers twice')))
    stream.on('trailers', (headers) => this.#finish(headers))
    stream.once('close', () => {
      signal?.removeEventListener('abort', this.#onAbort)
      this.#settle(this.#lossOf())
      context.onClose()
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted === true) this.#onAbort()
  }

  async send(message: Uint8Array): Promise<void> {
    await this.#throwIfOver()
    if (!this.#stream.write(frameOf(message))) await this.#drained()
    await this.#throwIfOver()
  }

  end(): void {
    if (!this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.end()
  }

  /** Ends the call, whatever its state; what is waited for fails with `reason`. */
  cancel(reason: CallError = this.#error('CANCELLED', 'it was ended here')): void {
    this.#fail(reason)
  }

  readonly #onAbort = (): void => {
    const message = `${this.#context.method} was cancelled`
    const cause = this.#context.signal?.reason
    this.#fail(new CallError(message, { status: 'CANCELLED', code: 'CANCELLED', cause }))
  }

  async #throwIfOver(): Promise<void> {
    if (this.#stream.destroyed || this.#stream.closed) await this.#seeEnd()
    if (this.#outcome === undefined) return
    if (this.#outcome !== 'OK') throw this.#outcome
    throw this.#error('CANCELLED', 'it has ended the call before everything was sent')
  }

  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stream = this.#stream
    stream.once('drain', resolve)
    this.#waiting.add(resolve)
    // A client that has answered need not take anything any more.
    if (this.#outcome === undefined) await promise
    this.#waiting.delete(resolve)
    stream.off('drain', resolve)
  }

  /** A stream that is reset is so at once; headers that came before, with the client's own words, are told of later. */
  async #seeEnd(): Promise<void> {
    if (this.#outcome === undefined) await nextTurn()
    this.#settle(this.#lossOf())
  }

  /** The first one counts. */
  #settle(outcome: CallError | 'OK'): void {
    this.#outcome ??= outcome
    for (const wake of this.#waiting) wake()
  }

  async *#receive(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of this.#chunks()) yield* this.#frames.push(chunk)
      await this.#finishReading()
    } catch (cause) {
      this.#fail(cause instanceof CallError ? cause : this.#lossOf(cause))
    } finally {
      this.#fail(this.#error('CANCELLED', 'it is not read any further'))
    }
    if (this.#outcome !== 'OK') throw this.#outcome
  }

  /**
   * What comes until the stream has ended. Its own iterator takes a stream that the client has reset for one that has
   * ended, and misses what came before the reset in the same piece.
   */
  async *#chunks(): AsyncGenerator<Buffer, void, undefined> {
    const stream = this.#stream
    let wake = (): void => undefined
    const onEvent = (): void => wake()
    stream.on('readable', onEvent).once('end', onEvent).once('close', onEvent)
    for (;;) {
      const chunk = this.#isLeft || stream.destroyed ? null : (stream.read() as Buffer | null)
      if (chunk !== null) yield chunk
      else if (this.#isLeft || stream.destroyed || stream.readableEnded) return
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }

  async #finishReading(): Promise<void> {
    if (this.#stream.destroyed || this.#stream.closed) await this.#seeEnd()
    this.#settle(this.#error('INTERNAL', 'it ended the call without a status'))
    if (this.#outcome !== 'OK' || this.#frames.isBetween) return
    this.#outcome = this.#error('INTERNAL', 'it ended in the middle of a message')
  }

  #start(headers: IncomingHttpHeaders, flags: number): void {
    const isLast = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    const status = Number(headers[':status'])
    const type = headers['content-type'] ?? ''
    const isCall = status === 200 && /^application\/grpc(?:$|[+;])/.test(type)
    if (isLast && (isCall || headers['grpc-status'] !== undefined)) this.#finish(headers)
    else if (status !== 200) this.#fail(this.#error(httpStatus(status), `HTTP status ${status}`))
    else if (!isCall) this.#fail(this.#error('UNKNOWN', 'its answer is not gRPC'))
  }

  #finish(headers: IncomingHttpHeaders): void {
    const number = headers['grpc-status']
    if (typeof number !== 'string') {
      this.#fail(this.#error('INTERNAL', 'it ended the call without a status'))
      return
    }
    const status = statusOf(number)
    if (status !== 'OK') {
      const text = messageText(String(headers['grpc-message'] ?? ''))
      const message = text === '' ? `the client answered ${this.#context.method}: ${status}` : text
      this.#settle(new CallError(message, { status }))
    } else this.#settle('OK')
  }

  /** Nothing else of the call is waited for. */
  #fail(outcome: CallError): void {
    this.#settle(outcome)
    this.#leave()
  }

  #leave(): void {
    if (this.#isLeft || this.#stream.destroyed) return
    this.#isLeft = true
    // Not while HTTP/2 is reading: more bytes of this stream may be there, which some versions of Node abort at
    // (nodejs/node#64850).
    setImmediate(() => this.#destroy())
  }

  #destroy(): void {
    const stream = this.#stream
    // It closes by itself then.
    if (stream.writableEnded && stream.writableLength === 0 && stream.readableEnded) return
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
    stream.destroy()
  }

  /** Why a stream is gone that had no status. */
  #lossOf(cause?: unknown): CallError {
    const lost = this.#context.lostBecause()
    if (lost !== undefined) return this.#error('UNAVAILABLE', 'the session has ended', lost)
    const { rstCode } = this.#stream
    return this.#error(resetStatus(rstCode), `the stream was reset (${rstCode})`, cause)
  }

  #error(status: FailedStatus, why: string, cause?: unknown): CallError {
    return new CallError(`the client's answer to ${this.#context.method}: ${why}`, {
      status,
      cause,
    })
  }
}

/** Spec: gRPC, doc/http-grpc-status-mapping.md */
function httpStatus(status: number): FailedStatus {
  if (status === 401) return 'UNAUTHENTICATED'
  if (status === 403) return 'PERMISSION_DENIED'
  if (status === 404) return 'UNIMPLEMENTED'
  return [429, 502, 503, 504].includes(status) ? 'UNAVAILABLE' : 'UNKNOWN'
}

/** Spec: gRPC, PROTOCOL-HTTP2.md, Errors */
function resetStatus(code: number): FailedStatus {
  switch (code) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return 'UNAVAILABLE'
    case constants.NGHTTP2_CANCEL:
      return 'CANCELLED'
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return 'RESOURCE_EXHAUSTED'
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return 'PERMISSION_DENIED'
    default:
      return 'INTERNAL'
  }
}
