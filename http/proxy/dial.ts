import type { Socket } from 'node:net'
import { HttpError } from '../errors.ts'
import type { ProxyServer, ProxyTarget } from './proxy-server.ts'

/**
 * A connection to a proxy that speaks http, or to `target` through one that does not.
 * @param signal ends it while it is being made; the error is then the reason
 * @throws {HttpError} PROXY_UNREACHABLE, PROXY_FAILED, PROXY_DENIED
 */
export async function dialProxy(
  proxy: ProxyServer,
  target: ProxyTarget,
  signal: AbortSignal,
): Promise<Socket> {
  return await whileConnecting(proxy, signal, async (socket) => {
    if (proxy.protocol === 'socks5:') {
      const { greetSocks } = await import('./socks.ts')
      await greetSocks(socket, proxy, target)
    }
  })
}

/** A connection to `target` through any proxy. Throws as `dialProxy` does. */
export async function dialThrough(
  proxy: ProxyServer,
  target: ProxyTarget,
  signal: AbortSignal,
): Promise<Socket> {
  if (proxy.protocol === 'socks5:') return await dialProxy(proxy, target, signal)
  return await whileConnecting(proxy, signal, async (socket) => {
    const { requestTunnel } = await import('./tunnel.ts')
    await requestTunnel(socket, proxy, target)
  })
}

/** Connects, and closes the connection again unless `greet` has made it what is wanted. */
async function whileConnecting(
  proxy: ProxyServer,
  signal: AbortSignal,
  greet: (socket: Socket) => Promise<void>,
): Promise<Socket> {
  signal.throwIfAborted()
  const socket = await open(proxy)
  const failed = Promise.withResolvers<never>()
  const onError = (cause: unknown): void => failed.reject(unreachableError(proxy, cause))
  const onClose = (): void => onError(new Error('it closed the connection'))
  const onAbort = (): void => failed.reject(signal.reason)
  socket.on('error', onError)
  socket.on('close', onClose)
  signal.addEventListener('abort', onAbort)
  try {
    const connected = Promise.withResolvers<void>()
    socket.once(proxy.protocol === 'https:' ? 'secureConnect' : 'connect', connected.resolve)
    await Promise.race([connected.promise.then(() => greet(socket)), failed.promise])
    return socket
  } catch (error) {
    // An error that comes after the one that counts has nobody to tell.
    socket.on('error', () => {})
    socket.destroy()
    throw error
  } finally {
    socket.off('error', onError)
    socket.off('close', onClose)
    signal.removeEventListener('abort', onAbort)
  }
}

async function open({ protocol, host, port, authorities }: ProxyServer): Promise<Socket> {
  if (protocol === 'https:') {
    const [tls, { isIP }] = await Promise.all([import('node:tls'), import('node:net')])
    const ca = [...tls.getCACertificates('default'), ...authorities]
    return tls.connect({ host, port, ca, ...(isIP(host) === 0 ? { servername: host } : {}) })
  }
  const { connect } = await import('node:net')
  return connect({ host, port })
}

function unreachableError({ name }: ProxyServer, cause: unknown): HttpError {
  const first = cause instanceof AggregateError ? cause.errors[0] : cause
  const text = first instanceof Error ? first.message : String(first)
  return new HttpError(`proxy ${name}: ${text}`, { code: 'PROXY_UNREACHABLE', cause })
}
