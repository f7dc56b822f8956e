import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { ownProgram, TsbuildError } from '#core'
import type { DockerEndpoint } from '../endpoint/docker-endpoint.ts'

/** What makes requests of a protocol, and keeps connections. */
export interface Dialer {
  readonly agent: Agent
  readonly start: (options: RequestOptions) => ClientRequest
  /** Makes a connection without a request. */
  readonly connect: () => Promise<Duplex>
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
      return {
        agent,
        start: (options) => request({ ...options, socketPath: endpoint.path }),
        connect: () => connected(connect({ path: endpoint.path, allowHalfOpen: true })),
      }
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
    return {
      agent: new Agent(kept),
      start: (options) => request({ ...options, host, port }),
      connect: () => connected(connect({ host, port, allowHalfOpen: true })),
    }
  }
  const read = (path: string): Buffer | undefined =>
    existsSync(path) ? readFileSync(path) : undefined
  const [{ Agent, request }, { connect: connectSecurely }] = await Promise.all([
    import('node:https'),
    import('node:tls'),
  ])
  const certificates = { ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key) }
  // Node would take the name from the header, which is docker's for every daemon.
  const servername = isIP(host) === 0 ? host : ''
  const secure = { ...certificates, rejectUnauthorized: tls.isVerified, servername }
  return {
    agent: new Agent({ ...kept, ...secure }),
    start: (options) => request({ ...options, host, port, servername }),
    connect: () => connected(connectSecurely({ ...secure, host, port }), 'secureConnect'),
  }
}

async function connected(socket: Socket, event = 'connect'): Promise<Duplex> {
  await once(socket, event)
  return socket
}

/** What Node's client calls of a socket, and what has no meaning for the pipes of a process. */
const SOCKET_SETTINGS = {
  ref: () => undefined,
  setKeepAlive: () => undefined,
  setNoDelay: () => undefined,
  setTimeout: () => undefined,
  unref: () => undefined,
}

/** Of what is there, docker; else tsbuild. @param path of a socket, or empty */
function remoteCommand(path: string): string {
  const socket = decodeURIComponent(path).replace(/^\/$/, '')
  // Two shells read it.
  if (/[^\w./-]/.test(socket)) {
    throw new TsbuildError(`invalid path of a socket: ${JSON.stringify(socket)}`, { code: 'USAGE' })
  }
  const words = `${socket === '' ? '' : `--host unix://${socket} `}system dial-stdio`
  return `sh -c 'if command -v docker >/dev/null 2>&1; then exec docker ${words}; fi; exec tsbuild ${words}'`
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
  const host = ['--', url.hostname, remoteCommand(url.pathname)]
  const children = new Set<ChildProcess>()
  const open = (): Duplex => {
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
  agent.createConnection = open as unknown as typeof agent.createConnection
  return {
    agent,
    start: (options) => request(options),
    connect: async () => open(),
    close: () => {
      for (const child of children) child.kill()
    },
  }
}
