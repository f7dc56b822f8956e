import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import type { Destination } from './destination.ts'
import { lookupFor } from './lookup.ts'

/** Milliseconds. The agent keeps a connection for less when the server announces less. */
const IDLE = 4_000

/** Makes requests, on connections that are kept for the next ones. */
export interface Dialer {
  readonly agent: Agent
  readonly request: (url: URL, options: RequestOptions) => ClientRequest
}

/**
 * The only place that decides how connections to an origin are made: over what, to which addresses and
 * with which certificates. Only the parts of Node for that are loaded: those for TLS take three times
 * as long as the others.
 */
export async function createDialer(origin: URL, destination: Destination): Promise<Dialer> {
  const lookup = lookupFor(destination)
  const options = { keepAlive: true, timeout: IDLE, ...(lookup === undefined ? {} : { lookup }) }
  if (origin.protocol === 'http:') {
    const { Agent, request } = await import('node:http')
    return { agent: new Agent(options), request }
  }
  const { Agent, request } = await import('node:https')
  const isUnverified = destination === 'named-insecure'
  const agent = new Agent(isUnverified ? { ...options, rejectUnauthorized: false } : options)
  return { agent, request }
}
