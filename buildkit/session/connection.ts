import { type ClientHttp2Session, connect } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { socketFor } from './bridge.ts'
import { Call, MOST_MESSAGE } from './call.ts'
import { CallError } from './call-error.ts'
import { type Metadata, requestHeaders } from './headers.ts'

/** Calls at a time: what a client can make this process hold is that many windows and messages. */
const MOST_CALLS = 100
/** Bytes that a client may send of one call before they are read. */
const WINDOW = 256 * 1024
/** Headers of an answer, and their bytes: an error may be explained at length. */
const MOST_HEADERS = 64
const MOST_HEADER_BYTES = 64 * 1024
/** Pings and changes of settings in a `FLOOD_TIME`. Clients send some a minute. */
const FLOOD = 1000
const FLOOD_TIME = 10_000

/** How a call is made. */
export interface CallOptions {
  readonly metadata?: Metadata | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of a message that is taken; default: 16 MiB. */
  readonly limit?: number
}

interface ExtraOptions extends CallOptions {
  /** It is made however many calls there are. */
  readonly isExtra?: boolean
}

/** HTTP/2 over the bytes of a session, in which this process is the one that asks. */
export class Connection {
  readonly #client: ClientHttp2Session
  readonly #bytes: Duplex
  readonly #socket: Socket
  readonly #onEnd: (reason: CallError) => void
  #reason: CallError | undefined
  #calls = 0
  /** The client has said that it takes no more calls. */
  #isLeaving = false
  #noise = { since: 0, events: 0 }

  /** @param onEnd called once, with why it has ended; never before the constructor returns */
  constructor(bytes: Duplex, onEnd: (reason: CallError) => void) {
    if (bytes.destroyed) throw goneError('it closed the connection')
    this.#bytes = bytes
    this.#onEnd = onEnd
    const socket = socketFor(bytes)
    this.#socket = socket
    bytes.on('error', (cause) => this.close(goneError('its connection failed', cause)))
    bytes.once('close', () => this.close(goneError('it closed the connection')))
    this.#client = connect('http://localhost', {
      createConnection: () => socket,
      settings: {
        ...{ enablePush: false, initialWindowSize: WINDOW, maxHeaderListSize: MOST_HEADER_BYTES },
      },
      maxHeaderListPairs: MOST_HEADERS,
      maxSendHeaderBlockLength: 1024 * 1024,
    })
    const client = this.#client
    client.on('error', (cause) => this.close(goneError('its connection failed', cause)))
    client.once('close', () => this.close(goneError('it closed the connection')))
    client.on('stream', (stream) => {
      stream.on('error', () => undefined)
      stream.destroy()
    })
    // It closes by itself when the calls have ended that were begun before.
    client.once('goaway', () => {
      this.#isLeaving = true
    })
    client.on('ping', () => this.#countNoise())
    client.on('remoteSettings', () => this.#countNoise())
  }

  /** @throws {CallError} UNAVAILABLE, RESOURCE_EXHAUSTED @throws {TsbuildError} USAGE */
  open(
    method: string,
    { metadata, signal, limit = MOST_MESSAGE, isExtra = false }: ExtraOptions,
  ): Call {
    const headers = requestHeaders(method, metadata)
    const lost = this.#lost()
    if (lost !== undefined || this.#isLeaving) throw unavailableError(method, lost)
    if (this.#calls >= MOST_CALLS && !isExtra) {
      throw new CallError(`${method}: ${MOST_CALLS} calls of this session are under way`, {
        status: 'RESOURCE_EXHAUSTED',
      })
    }
    let stream: ReturnType<ClientHttp2Session['request']>
    try {
      stream = this.#client.request(headers, { endStream: false })
    } catch (cause) {
      // Its connection is being closed, or its numbers of streams are used up.
      throw unavailableError(method, cause)
    }
    this.#calls++
    return new Call(stream, {
      ...{ method, limit, signal },
      lostBecause: () => this.#lost(),
      onClose: () => {
        this.#calls--
      },
    })
  }

  /** Ends everything, in the next turn. Idempotent. */
  close(reason: CallError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    // Not while HTTP/2 is reading, from where it may be called (nodejs/node#64850).
    setImmediate(() => {
      this.#client.destroy()
      this.#socket.destroy()
      this.#bytes.destroy()
    })
    this.#onEnd(reason)
  }

  #lost(): CallError | undefined {
    if (this.#reason === undefined && this.#client.destroyed) {
      return goneError('its connection is closed')
    }
    return this.#reason
  }

  /** Each is answered, which costs the client less than this process. */
  #countNoise(): void {
    const now = performance.now()
    if (now - this.#noise.since > FLOOD_TIME) this.#noise = { since: now, events: 0 }
    this.#noise.events++
    if (this.#noise.events > FLOOD) this.close(goneError('it floods the connection'))
  }
}

function unavailableError(method: string, cause: unknown): CallError {
  return new CallError(`${method}: the session of the client has ended`, {
    status: 'UNAVAILABLE',
    cause,
  })
}

/** Why a session has ended. */
export function goneError(why: string, cause?: unknown): CallError {
  return new CallError(`the session of the client has ended: ${why}`, {
    status: 'UNAVAILABLE',
    cause,
    hint: 'its program has ended, or the connection to it broke; run it again',
  })
}
