import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'
import { errnoOf, TsbuildError, throwIfCancelled } from '#core'
import { type Dialer, type DockerEndpoint, formatEndpoint, openDialer } from '#engine/client'

/** An answer of the daemon. */
export interface DockerAnswer {
  readonly status: number
  readonly text: string
}

/** What is sent to the daemon. */
export interface DockerRequest {
  readonly method: 'GET' | 'POST'
  /** With its query. It has no version: what is asked for means the same in all. */
  readonly path: string
  /** Writes a tar, and does not end the stream. */
  readonly archive?: ((sink: Writable) => Promise<void>) | undefined
  readonly signal: AbortSignal | undefined
}

/** Bytes of an answer: of an image with thousands of labels, or of progress in all detail. */
const MAX_ANSWER = 16 * 1024 * 1024

type Environment = Readonly<Record<string, string | undefined>>

/** The HTTP interface of a docker daemon, or of what speaks it. */
export class DockerApi implements Disposable {
  /** As errors name it. */
  readonly name: string
  readonly #dialer: Promise<Dialer>

  constructor(endpoint: DockerEndpoint, env: Environment) {
    this.name = `docker at ${formatEndpoint(endpoint)}`
    this.#dialer = openDialer(endpoint, { env, maxSockets: 1 })
    this.#dialer.catch(() => undefined)
  }

  /** @throws {TsbuildError} CANCELLED, and as `unreachableError` when there is no answer */
  async send(request: DockerRequest): Promise<DockerAnswer> {
    const { method, path, archive, signal } = request
    throwIfCancelled(signal, `ask ${this.name}`)
    try {
      const { agent, start } = await this.#dialer
      const type = archive === undefined ? {} : { 'content-type': 'application/x-tar' }
      const headers = { host: 'docker', 'user-agent': 'tsbuild', ...type }
      const outgoing = start({ method, path, headers, agent, ...(signal && { signal }) })
      const answer = answerOf(outgoing)
      // An answer that comes before the end of the archive counts more than that it could not be sent.
      sendBody(outgoing, archive).catch((cause: Error) => outgoing.destroy(cause))
      return await answer
    } catch (cause) {
      throwIfCancelled(signal, `ask ${this.name}`)
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

async function sendBody(outgoing: ClientRequest, archive: DockerRequest['archive']): Promise<void> {
  await archive?.(outgoing)
  outgoing.end()
}

async function answerOf(outgoing: ClientRequest): Promise<DockerAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  outgoing.on('error', reject)
  outgoing.once('response', resolve)
  const response = await promise
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER) throw new Error(`the answer has more than ${MAX_ANSWER} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }
}

/** PERMISSION_DENIED where the socket is another's, IO_FAILED for all else. */
function unreachableError(name: string, cause: unknown): TsbuildError {
  const denied = errnoOf(cause) === 'EACCES' || errnoOf(cause) === 'EPERM'
  return new TsbuildError(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    code: denied ? 'PERMISSION_DENIED' : 'IO_FAILED',
    hint: denied
      ? 'its socket is for its group: add this user to the group docker, or load with --load-into podman'
      : 'see that the daemon is running, or name another one with $DOCKER_HOST',
    cause,
  })
}
