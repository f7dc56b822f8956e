import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import { Duplex } from 'node:stream'
import { ownProgram } from '#core'
import type { DockerEndpoint } from '../endpoint/docker-endpoint.ts'

/** What makes requests of a protocol, and keeps connections. */
export interface Dialer {
  readonly agent: Agent
  readonly start: (options: RequestOptions) => ClientRequest
  readonly close?: () => void
}

/** How a daemon is dialed. */
export interface DialOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Connections at a time. */
  readonly maxSockets: number
}

/** Opens the way to a daemon; connections are made by the first requests. */
export async function openDialer(endpoint: DockerEndpoint, options: DialOptions): Promise<Dialer> {
  const { maxSockets } = options
  switch (endpoint.kind) {
    case 'unix': {
      const { Agent, request } = await import('node:http')
      const agent = new Agent({ keepAlive: true, maxSockets })
      return { agent, start: (options) => request({ ...options, socketPath: endpoint.path }) }
    }
    case 'tcp':
      return await openTcp(endpoint, options)
    case 'ssh':
      return await openSsh(endpoint, options)
  }
}

async function openTcp(
  { host, port, tls }: Extract<DockerEndpoint, { kind: 'tcp' }>,
  { maxSockets }: DialOptions,
): Promise<Dialer> {
  const kept = { keepAlive: true, maxSockets }
  if (tls === undefined) {
    const { Agent, request } = await import('node:http')
    return { agent: new Agent(kept), start: (options) => request({ ...options, host, port }) }
  }
  const read = (path: string): Buffer | undefined =>
    existsSync(path) ? readFileSync(path) : undefined
  const { Agent, request } = await import('node:https')
  const certificates = { ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key) }
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
  { env, maxSockets }: DialOptions,
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
  const agent = new Agent({ keepAlive: true, maxSockets })
  agent.createConnection = connect as unknown as typeof agent.createConnection
  return {
    agent,
    start: (options) => request(options),
    close: () => {
      for (const child of children) child.kill()
    },
  }
}
