import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { errnoOf, Resources, TsbuildError } from '#core'
import type { Dialer } from './dial.ts'
import { type PortBinding, type PortTarget, type PublishedPort, targetFor } from './port-binding.ts'
import { type PortChooser, portsBetween } from './port-range.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { UdpProxy } from './udp-proxy.ts'

/** What ports are published with. */
export interface PublishingOptions {
  readonly dialer: Dialer
  readonly target: PortTarget
  readonly chooser: PortChooser
}

/** A port, and what listens for it on the host. */
export interface OpenPort extends AsyncDisposable {
  /** One for each address of the host. */
  readonly published: readonly PublishedPort[]
}

/**
 * Listens on the host for a port of a container, and passes on what comes. The host's ports are really taken: nothing
 * else can have them.
 * @throws {TsbuildError} IO_FAILED as docker says it, or PERMISSION_DENIED
 */
export async function openPort(
  binding: PortBinding,
  options: PublishingOptions,
): Promise<OpenPort> {
  const { hostPorts } = binding
  const ports = hostPorts === undefined ? options.chooser.candidates() : portsBetween(hostPorts)
  let failure: unknown
  for (const port of ports) {
    try {
      return await openAt(binding, port, options)
    } catch (cause) {
      failure = cause
      if (!isTaken(cause)) break
    }
  }
  throw failure ?? new TsbuildError('no port of the host is left', { code: 'IO_FAILED' })
}

async function openAt(
  binding: PortBinding,
  hostPort: number,
  options: PublishingOptions,
): Promise<OpenPort> {
  const { protocol, port, hostAddress } = binding
  await using held = new Resources()
  const published: PublishedPort[] = []
  for (const address of hostAddress === '' ? allAddresses() : [hostAddress]) {
    const target = targetFor(address, options.target)
    if (target === undefined) continue
    const one = { protocol, port, hostAddress: address, hostPort }
    try {
      held.use(await listen(one, target, options))
    } catch (cause) {
      throw bindError(one, cause)
    }
    published.push(one)
  }
  const moved = held.move()
  return { published, [Symbol.asyncDispose]: () => moved[Symbol.asyncDispose]() }
}

async function listen(
  { protocol, port, hostAddress, hostPort }: PublishedPort,
  address: string,
  { dialer, chooser }: PublishingOptions,
): Promise<AsyncDisposable | Disposable> {
  const target = { address, port }
  if (protocol === 'sctp') return chooser.take(`${hostAddress} ${hostPort}`)
  if (protocol === 'tcp') {
    const proxy = new TcpProxy(dialer, target)
    proxy.server.listen({ host: hostAddress, port: hostPort, ipv6Only: true, exclusive: true })
    await once(proxy.server, 'listening')
    return proxy
  }
  const proxy = new UdpProxy(hostAddress, { dialer, target })
  proxy.socket.bind({ address: hostAddress, port: hostPort, exclusive: true })
  await once(proxy.socket, 'listening')
  return proxy
}

/** In docker's words, which users and tools look for. */
function bindError({ hostAddress, hostPort }: PublishedPort, cause: unknown): unknown {
  const at = hostAddress.includes(':')
    ? `[${hostAddress}]:${hostPort}`
    : `${hostAddress}:${hostPort}`
  const errno = errnoOf(cause)
  if (errno === 'EADDRINUSE') {
    const message = `Bind for ${at} failed: port is already allocated`
    return new TsbuildError(message, { code: 'IO_FAILED', cause })
  }
  if (errno === 'EACCES') {
    return new TsbuildError(`cannot expose privileged port ${hostPort}`, {
      code: 'PERMISSION_DENIED',
      hint: `publish another port, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${hostPort}`,
      cause,
    })
  }
  if (errno === 'EADDRNOTAVAIL') {
    const message = `failed to bind host port for ${at}: cannot assign requested address`
    return new TsbuildError(message, { code: 'IO_FAILED', cause })
  }
  return cause
}

function isTaken(failure: unknown): boolean {
  return failure instanceof Error && errnoOf(failure.cause) === 'EADDRINUSE'
}

function allAddresses(): readonly string[] {
  return hasVersion6() ? ['0.0.0.0', '::'] : ['0.0.0.0']
}

/** Whether any link of this process's network has an address of version 6. */
function hasVersion6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'latin1') !== ''
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false
    throw cause
  }
}
