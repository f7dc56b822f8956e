import type { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { HEALTH_CHECK_REQUEST } from '#buildkit/messages'
import type { Call, PacketStream } from './call.ts'
import { CallError, hasStatus } from './call-error.ts'
import { type CallOptions, Connection, goneError } from './connection.ts'
import { HEALTH_TIMES, type HealthTimes, watchHealth } from './health.ts'
import type { SessionIdentity } from './identity.ts'

/** How a call with one answer is made. */
export interface UnaryOptions extends CallOptions {
  /** Milliseconds until it fails with DEADLINE_EXCEEDED. Default: none. */
  readonly timeout?: number
}

/** What a session can be asked for. */
export interface Caller {
  /** Whether the client has said that it has a method, `/SERVICE/METHOD`; not all that have one say so. */
  supports(method: string): boolean
  /**
   * A request with one answer.
   * @throws {CallError} as the client answers; UNAVAILABLE when the session ends, CANCELLED with `code` CANCELLED for `signal`
   */
  call(method: string, request: Uint8Array, options?: UnaryOptions): Promise<Buffer>
  /** @throws {CallError} UNAVAILABLE, RESOURCE_EXHAUSTED @throws {TsbuildError} USAGE */
  open(method: string, options?: CallOptions): PacketStream
}

const HEALTH = '/grpc.health.v1.Health/Check'
const MOST_HEALTH = 1024

/** A client's session: it serves gRPC in a tunnel of bytes, and is asked here. */
export class Session implements Caller {
  readonly id: string
  readonly name: string
  readonly sharedKey: string
  /** Aborted when the session has ended; its reason is a `CallError`. */
  readonly closed: AbortSignal
  readonly #methods: ReadonlySet<string>
  readonly #connection: Connection
  readonly #ended = new AbortController()

  /** @param bytes the tunnel, which belongs to the session from now on */
  constructor(bytes: Duplex, identity: SessionIdentity, times: HealthTimes = HEALTH_TIMES) {
    this.id = identity.id
    this.name = identity.name
    this.sharedKey = identity.sharedKey
    this.#methods = identity.methods
    this.closed = this.#ended.signal
    this.#connection = new Connection(bytes, (reason) => {
      health[Symbol.dispose]()
      this.#ended.abort(reason)
    })
    const health = watchHealth(
      (timeout) => this.#checkHealth(timeout),
      times,
      (cause) => this.#connection.close(goneError('it does not answer', cause)),
    )
  }

  supports(method: string): boolean {
    return this.#methods.has(method.toLowerCase())
  }

  open(method: string, options: CallOptions = {}): PacketStream {
    return this.#connection.open(method, options)
  }

  async call(method: string, request: Uint8Array, options: UnaryOptions = {}): Promise<Buffer> {
    return await answerOf(this.#connection.open(method, options), request, {
      method,
      timeout: options.timeout,
    })
  }

  /** Ends the session, and everything that it is asked for. Idempotent. */
  close(why = 'it was closed here'): void {
    this.#connection.close(goneError(why))
  }

  async #checkHealth(timeout: number): Promise<void> {
    const call = this.#connection.open(HEALTH, { limit: MOST_HEALTH, isExtra: true })
    const request = HEALTH_CHECK_REQUEST.encode({})
    try {
      await answerOf(call, request, { method: HEALTH, timeout })
    } catch (cause) {
      // A client without this service has answered.
      if (!hasStatus(cause, 'UNIMPLEMENTED')) throw cause
    }
  }
}

/** Sends a request and takes the one answer. */
async function answerOf(
  call: Call,
  request: Uint8Array,
  { method, timeout }: { readonly method: string; readonly timeout: number | undefined },
): Promise<Buffer> {
  const late = new CallError(`${method}: the client did not answer in time`, {
    status: 'DEADLINE_EXCEEDED',
  })
  const timer = timeout === undefined ? undefined : setTimeout(() => call.cancel(late), timeout)
  try {
    // Where it fails the answer says why.
    await call.send(request).catch(() => undefined)
    call.end()
    let answer: Buffer | undefined
    for await (const message of call.messages) {
      if (answer !== undefined) throw answersError(method, 'more than one answer')
      answer = message
    }
    if (answer === undefined) throw answersError(method, 'no answer')
    return answer
  } finally {
    clearTimeout(timer)
    call.cancel()
  }
}

function answersError(method: string, what: string): CallError {
  return new CallError(`${method}: the client gave ${what}`, { status: 'INTERNAL' })
}
