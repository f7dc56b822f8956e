import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import type { HostCertificates } from '../certificates.ts'
import type { Destination } from '../destination.ts'
import type { ProxyServer } from '../proxy/proxy-server.ts'
import { type Environment, hasProxy } from '../variables.ts'
import { lookupFor } from './lookup.ts'

/** Milliseconds. The agent keeps a connection for less when the server announces less. */
const IDLE = 4_000

/** Makes requests, on connections that are kept for the next ones. */
export interface Dialer {
  readonly agent: Agent
  /** @param ending ends a connection to a proxy that is not made yet, which is not the request's */
  readonly request: (url: URL, options: RequestOptions, ending: AbortSignal) => ClientRequest
  /** What is between: an answer with status 407 is its. */
  readonly proxy: ProxyServer | undefined
}

/** What a connection uses besides what Node has. */
export interface DialerOptions {
  readonly environment: Environment
  readonly certificates: HostCertificates
  /** Also the authorities of the machine: reading them takes as long as a small build has. */
  readonly trustsMachine: boolean
}

/**
 * The only place that decides how connections to an origin are made: over what, to which addresses and
 * with which certificates. Only the parts of Node for that are loaded: those for TLS take three times
 * as long as the others.
 * @throws {TsbuildError} CONFIG_INVALID for a variable that is not the URL of a proxy
 */
export async function createDialer(
  origin: URL,
  destination: Destination,
  { environment, certificates, trustsMachine }: DialerOptions,
): Promise<Dialer> {
  const proxy = await findProxy(origin, environment)
  // A proxy looks names up itself, and its own may be one of this machine.
  const lookup = proxy === undefined ? lookupFor(destination) : undefined
  const options = { keepAlive: true, timeout: IDLE, ...(lookup === undefined ? {} : { lookup }) }
  if (origin.protocol === 'http:') {
    const { Agent, request } = await import('node:http')
    const agent = new Agent(options)
    if (proxy === undefined) return direct(agent, request)
    const { requestingFrom } = await import('../proxy/agents.ts')
    return { agent, request: requestingFrom(proxy, agent, request), proxy }
  }
  const { Agent, request } = await import('node:https')
  const hasOwn = certificates.authorities.length > 0 || certificates.clients.length > 0
  const trust =
    hasOwn || trustsMachine
      ? await (await import('../trust/tls-options.ts')).tlsOptions(environment, certificates)
      : {}
  const isUnverified = destination === 'named-insecure'
  const verified = isUnverified ? { rejectUnauthorized: false } : {}
  const agent = new Agent({ ...options, ...trust, ...verified })
  if (proxy === undefined) return direct(agent, request)
  const { tunnelling } = await import('../proxy/agents.ts')
  return { agent, request: tunnelling(proxy, agent, request), proxy }
}

function direct(
  agent: Agent,
  request: (url: URL, options: RequestOptions) => ClientRequest,
): Dialer {
  return { agent, request: (url, options) => request(url, options), proxy: undefined }
}

async function findProxy(origin: URL, environment: Environment): Promise<ProxyServer | undefined> {
  if (!hasProxy(environment)) return undefined
  const { chooseProxy } = await import('../proxy/choose-proxy.ts')
  return chooseProxy(origin, environment)
}
