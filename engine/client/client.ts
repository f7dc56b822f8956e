/**
 * A client of the Docker Engine API. Nothing is kept in memory that may be large: bodies are streams in both
 * directions, and of an answer only documents are read as a whole. See ADR 78.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isJsonObject, type Json, TsbuildError, throwIfCancelled } from '#core'
import { type DockerEndpoint, formatEndpoint } from './endpoint/docker-endpoint.ts'
import { EngineError, unreachableError } from './errors.ts'
import { type EngineRequest, headersOf, targetOf } from './request.ts'
import { jsonTexts } from './streams/json-messages.ts'
import { type Dialer, openDialer } from './transport/dialer.ts'
import { negotiate } from './version.ts'

/** An answer whose body is still to come. */
export interface EngineAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Readable
}

/** What a daemon says of itself at the first contact. */
export interface EngineVersion {
  /** That both sides speak. */
  readonly api: string
  /** Of the machine whose containers it has: `linux`. */
  readonly os: string
}

/** How a client is opened. */
export interface ClientOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends whatever is under way. */
  readonly signal?: AbortSignal
}

/** Bytes of a document. */
const MAX_DOCUMENT = 256 * 1024 * 1024
/** Bytes of an error. */
const MAX_ERROR = 1024 * 1024

/** One daemon, over as many connections as there are requests at a time. */
export class EngineClient implements Disposable {
  /** As docker writes addresses. */
  readonly name: string
  readonly #options: ClientOptions
  readonly #dialer: Promise<Dialer>
  #version: Promise<EngineVersion> | undefined

  constructor(endpoint: DockerEndpoint, options: ClientOptions) {
    this.name = formatEndpoint(endpoint)
    this.#options = options
    this.#dialer = openDialer(endpoint, { env: options.env, maxSockets: Number.POSITIVE_INFINITY })
    this.#dialer.catch(() => undefined)
  }

  /** @throws {TsbuildError} ENGINE_UNREACHABLE, UNSUPPORTED */
  version(): Promise<EngineVersion> {
    this.#version ??= this.#ask()
    return this.#version
  }

  async #ask(): Promise<EngineVersion> {
    const forced = this.#options.env.DOCKER_API_VERSION
    const answer = await this.#open({ method: 'HEAD', path: '/_ping' }, '/_ping')
    answer.resume()
    const { headers } = answer
    const text = (name: string): string | undefined => headers[name]?.toString()
    const os = text('ostype') ?? 'linux'
    return { api: forced ? forced.replace(/^v/, '') : negotiate(text('api-version')), os }
  }

  /**
   * An answer as it comes.
   * @throws {EngineError} for all answers that are no success
   */
  async send(request: EngineRequest): Promise<EngineAnswer> {
    const { api } = await this.version()
    const answer = await this.#open(request, targetOf(request, api))
    const { statusCode: status = 0, headers } = answer
    if (status >= 400 || status === 304) throw await errorOf(answer)
    return { status, headers, body: answer }
  }

  /** A document; `null` where the answer has no body. @throws {EngineError} */
  async json(request: EngineRequest): Promise<Json> {
    const { body } = await this.send(request)
    const text = await textOf(body, MAX_DOCUMENT)
    return text.trim() === '' ? null : (JSON.parse(text) as Json)
  }

  /** The documents of a stream, as they come. @throws {EngineError} */
  async *messages(request: EngineRequest): AsyncGenerator<Json, void, undefined> {
    for await (const text of this.texts(request)) yield JSON.parse(text) as Json
  }

  /** The same as they were sent: numbers may have more digits than this program keeps. */
  async *texts(request: EngineRequest): AsyncGenerator<string, void, undefined> {
    const { body } = await this.send(request)
    yield* jsonTexts(body)
  }

  /**
   * A stream in both directions: what is written goes to a process, and its end ends the process's input; what is
   * read comes from it.
   * @throws {EngineError}
   */
  async hijack(request: EngineRequest): Promise<Duplex> {
    const { api } = await this.version()
    const upgrade = { connection: 'Upgrade', upgrade: 'tcp' }
    const headers = { ...headersOf(request), ...upgrade, ...request.headers }
    const outgoing = await this.#start({ ...request, headers }, targetOf(request, api))
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    outgoing.once('error', reject)
    outgoing.once('upgrade', (_answer, socket: Duplex, head: Buffer) => {
      outgoing.off('error', reject)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    outgoing.once('response', (answer) => errorOf(answer).then(reject, reject))
    return await this.#reached(promise, request)
  }

  /** A bare connection, over which another client speaks. @throws {TsbuildError} ENGINE_UNREACHABLE */
  async connect(): Promise<Duplex> {
    const { connect } = await this.#dialer
    return await this.#reached(connect(), {})
  }

  async #open(request: EngineRequest, target: string): Promise<IncomingMessage> {
    const outgoing = await this.#start(request, target)
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    outgoing.on('error', reject)
    outgoing.once('response', resolve)
    return await this.#reached(promise, request)
  }

  /** Sends the request; a document at once, a stream as it comes. */
  async #start(request: EngineRequest, target: string): Promise<ClientRequest> {
    const { body, method = 'GET' } = request
    const signal = request.signal ?? this.#options.signal
    throwIfCancelled(signal, `ask ${this.name}`)
    const dialer = await this.#dialer
    const text = body?.kind === 'json' ? JSON.stringify(body.value) : undefined
    const outgoing = dialer.start({
      method,
      path: target,
      agent: dialer.agent,
      headers: headersOf(request),
      ...(signal === undefined ? {} : { signal }),
    })
    if (body?.kind === 'tar')
      pipeline(body.bytes, outgoing).catch((cause) => outgoing.destroy(cause))
    else outgoing.end(text)
    return outgoing
  }

  async #reached<T>(answer: Promise<T>, { signal }: Pick<EngineRequest, 'signal'>): Promise<T> {
    try {
      return await answer
    } catch (cause) {
      throwIfCancelled(signal ?? this.#options.signal, `ask ${this.name}`)
      if (cause instanceof TsbuildError) throw cause
      throw unreachableError(this.name, cause)
    }
  }

  [Symbol.dispose](): void {
    this.#dialer.then(
      ({ agent, close }) => {
        agent.destroy()
        close?.()
      },
      () => undefined,
    )
  }
}

async function errorOf(answer: IncomingMessage): Promise<EngineError> {
  const { statusCode: status = 0 } = answer
  const text = (await textOf(answer, MAX_ERROR)).trim()
  return new EngineError({ status, message: messageOf(text) ?? (text || `status ${status}`) })
}

function messageOf(text: string): string | undefined {
  try {
    const document = JSON.parse(text) as Json
    const message = isJsonObject(document) ? document.message : undefined
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

async function textOf(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > most)
      throw new TsbuildError(`an answer has more than ${most} bytes`, { code: 'ENGINE_FAILED' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
