import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { join } from 'node:path'
import { Duplex, type Writable } from 'node:stream'
import { errnoOf, ownProgram, TsbuildError, throwIfCancelled } from '#core'
import { type DockerEndpoint, formatEndpoint } from './docker-endpoint.ts'

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

/** What makes requests of a protocol, and keeps one connection. */
interface Dialer {
  readonly agent: Agent
  readonly start: (options: RequestOptions) => ClientRequest
  readonly close?: () => void
}

/** The HTTP interface of a docker daemon, or of what speaks it. */
export class DockerApi implements Disposable {
  /** As errors name it. */
  readonly name: string
  readonly #dialer: Promise<Dialer>

  constructor(endpoint: DockerEndpoint, env: Environment) {
    this.name = `docker at ${formatEndpoint(endpoint)}`
    this.#dialer = openDialer(endpoint, env)
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

async function openDialer(endpoint: DockerEndpoint, env: Environment): Promise<Dialer> {
  switch (endpoint.kind) {
    case 'unix': {
      const { Agent, request } = await import('node:http')
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      return { agent, start: (options) => request({ ...options, socketPath: endpoint.path }) }
    }
    case 'tcp':
      return await openTcp(endpoint)
    case 'ssh':
      return await openSsh(endpoint, env)
  }
}

async function openTcp({
  host,
  port,
  tls,
}: Extract<DockerEndpoint, { kind: 'tcp' }>): Promise<Dialer> {
  const kept = { keepAlive: true, maxSockets: 1 }
  if (tls === undefined) {
    const { Agent, request } = await import('node:http')
    return { agent: new Agent(kept), start: (options) => request({ ...options, host, port }) }
  }
  const read = (name: string): Buffer | undefined => {
    const path = join(tls.folder, name)
    return existsSync(path) ? readFileSync(path) : undefined
  }
  const { Agent, request } = await import('node:https')
  const certificates = { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
  const agent = new Agent({ ...kept, ...certificates, rejectUnauthorized: tls.isVerified })
  return { agent, start: (options) => request({ ...options, host, port }) }
}

/** What Node's client calls of a socket, and what has no meaning for the pipes of a process. */
const SOCKET_SETTINGS = {
  ref: () => undefined,
  setKeepAlive: () => undefined,
  setNoDelay: () => undefined,
  setTimeout: () => undefined,
  unref: () => undefined,
}

/** As docker does it: the client there passes on what it reads. */
async function openSsh(
  { url }: Extract<DockerEndpoint, { kind: 'ssh' }>,
  env: Environment,
): Promise<Dialer> {
  const [{ Agent, request }, { spawn }] = await Promise.all([
    import('node:http'),
    import('node:child_process'),
  ])
  const { file, path } = ownProgram('ssh', env.PATH)
  const user = url.username === '' ? [] : ['-l', decodeURIComponent(url.username)]
  const port = url.port === '' ? [] : ['-p', url.port]
  const host = ['--', url.hostname, 'docker', 'system', 'dial-stdio']
  const children = new Set<ChildProcess>()
  const connect = (): Duplex => {
    const child = spawn(file, ['-o', 'ConnectTimeout=30', ...user, ...port, ...host], {
      env: { ...env, PATH: path },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.add(child)
    const stream = Object.assign(
      Duplex.from({ readable: child.stdout, writable: child.stdin }),
      SOCKET_SETTINGS,
    )
    child.once('error', (cause) => stream.destroy(cause))
    child.once('exit', () => children.delete(child))
    return stream
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = connect as unknown as typeof agent.createConnection
  return {
    agent,
    start: (options) => request(options),
    close: () => {
      for (const child of children) child.kill()
    },
  }
}
