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
  const { protocol, hostPorts } = binding
  const ports =
    hostPorts === undefined ? options.chooser.candidates(protocol) : portsBetween(hostPorts)
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
    held.use(options.chooser.take(one) ?? throwAllocated(one))
    if (protocol !== 'sctp') held.use(await listen(one, target, options))
    published.push(one)
  }
  const moved = held.move()
  return { published, [Symbol.asyncDispose]: () => moved[Symbol.asyncDispose]() }
}

async function listen(
  published: PublishedPort,
  address: string,
  { dialer }: PublishingOptions,
): Promise<AsyncDisposable> {
  const { protocol, port, hostAddress, hostPort } = published
  const target = { address, port }
  await using held = new Resources()
  try {
    if (protocol === 'tcp') {
      const proxy = held.use(new TcpProxy(dialer, target))
      proxy.server.listen({ host: hostAddress, port: hostPort, ipv6Only: true, exclusive: true })
      await once(proxy.server, 'listening')
    } else {
      const proxy = held.use(new UdpProxy(hostAddress, { dialer, target }))
      proxy.socket.bind({ address: hostAddress, port: hostPort, exclusive: true })
      await once(proxy.socket, 'listening')
    }
  } catch (cause) {
    throw bindError(published, cause)
  }
  return held.move()
}

/** In docker's words, which users and tools look for. */
function throwAllocated(port: PublishedPort): never {
  const at = textOf(port)
  const cause = Object.assign(new Error(at), { code: 'EADDRINUSE' })
  const message = `Bind for ${at} failed: port is already allocated`
  throw new TsbuildError(message, { code: 'IO_FAILED', cause })
}

/** In docker's words, too. */
function bindError(port: PublishedPort, cause: unknown): unknown {
  const errno = errnoOf(cause) ?? ''
  const reason = REASONS.get(errno)
  if (reason === undefined) return cause
  const { protocol, hostPort } = port
  const message = `failed to bind host port ${textOf(port)}/${protocol}: ${reason}`
  if (errno !== 'EACCES') return new TsbuildError(message, { code: 'IO_FAILED', cause })
  const remedy = `cannot expose privileged port ${hostPort}, you can add 'net.ipv4.ip_unprivileged_port_start=${hostPort}' to /etc/sysctl.conf, or choose a larger port number`
  return new TsbuildError(`${message}: ${remedy}`, { code: 'PERMISSION_DENIED', cause })
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'address already in use'],
  ['EADDRNOTAVAIL', 'cannot assign requested address'],
  ['EACCES', 'permission denied'],
])

function textOf({ hostAddress, hostPort }: PublishedPort): string {
  return hostAddress.includes(':') ? `[${hostAddress}]:${hostPort}` : `${hostAddress}:${hostPort}`
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
