import type { Agent, ClientRequest, ClientRequestArgs, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { dialProxy, dialThrough } from './dial.ts'
import { type ProxyServer, type ProxyTarget, proxyHeaders } from './proxy-server.ts'

type Request = (url: URL, options: RequestOptions) => ClientRequest
/** `ending` ends a connection to the proxy that is not made yet. */
type ProxiedRequest = (url: URL, options: RequestOptions, ending: AbortSignal) => ClientRequest
/** What a request hands to the agent, and the agent to `createConnection`. */
type ProxiedOptions = ClientRequestArgs & { readonly ending?: AbortSignal }

/**
 * Has `agent` make connections to the proxy, of which http requests ask for whole URLs. The user and the password of
 * the proxy are headers that it takes out.
 */
export function requestingFrom(proxy: ProxyServer, agent: Agent, request: Request): ProxiedRequest {
  connectBy(agent, (options) => dialProxy(proxy, targetOf(options, 80), endingOf(options)))
  const isSocks = proxy.protocol === 'socks5:'
  return (url, options, ending) => {
    const proxied: ProxiedOptions = { ...options, ending }
    if (isSocks) return request(url, proxied)
    const path = `${url.origin}${url.pathname}${url.search}`
    return request(url, {
      ...proxied,
      path,
      headers: { ...(options.headers as Record<string, string>), ...proxyHeaders(proxy) },
    })
  }
}

/** Has `agent`, one of TLS, make its connections through tunnels. */
export function tunnelling(proxy: ProxyServer, agent: Agent, request: Request): ProxiedRequest {
  // Node's own: certificates, the name of the server, and sessions that are resumed.
  const secure = agent.createConnection.bind(agent)
  connectBy(agent, async (options) => {
    const socket = await dialThrough(proxy, targetOf(options, 443), endingOf(options))
    return secure({ ...options, socket } as ClientRequestArgs) as Socket
  })
  return (url, options, ending) => {
    const proxied: ProxiedOptions = { ...options, ending }
    return request(url, proxied)
  }
}

function connectBy(agent: Agent, connect: (options: ProxiedOptions) => Promise<Socket>): void {
  agent.createConnection = (options, callback) => {
    connect(options).then(
      (socket) => callback?.(null, socket),
      (error) => callback?.(error, undefined as unknown as Socket),
    )
    return undefined
  }
}

function targetOf({ host, port }: ProxiedOptions, defaultPort: number): ProxyTarget {
  return { host: (host ?? '').replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) }
}

function endingOf({ ending }: ProxiedOptions): AbortSignal {
  return ending ?? new AbortController().signal
}
