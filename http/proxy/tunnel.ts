import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { HttpError } from '../errors.ts'
import { deniedError } from './denied.ts'
import { type ProxyServer, type ProxyTarget, proxyHeaders } from './proxy-server.ts'

/**
 * Makes a connection to an http proxy one to `target`. A failure of the connection is an event of the socket.
 * Spec: RFC 9110 9.3.6
 * @throws {HttpError} PROXY_FAILED, PROXY_DENIED
 */
export async function requestTunnel(
  socket: Socket,
  proxy: ProxyServer,
  target: ProxyTarget,
): Promise<void> {
  const { request } = await import('node:http')
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  const authority = `${host}:${target.port}`
  const answered = Promise.withResolvers<{ response: IncomingMessage; head: Buffer }>()
  const outgoing = request({
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...proxyHeaders(proxy) },
    createConnection: () => socket,
  })
  outgoing.once('connect', (response, _socket, head) => answered.resolve({ response, head }))
  outgoing.once('error', (cause) =>
    answered.reject(
      new HttpError(`proxy ${proxy.name} broke off`, { code: 'PROXY_FAILED', cause }),
    ),
  )
  outgoing.end()
  const { response, head } = await answered.promise
  const { statusCode: status = 0 } = response
  if (status === 401 || status === 403 || status === 407) throw deniedError(proxy, status)
  if (status < 200 || status > 299) {
    const text = `proxy ${proxy.name} answered ${status} when asked for ${authority}`
    throw new HttpError(text, { code: 'PROXY_FAILED' })
  }
  if (head.length > 0) socket.unshift(head)
}
