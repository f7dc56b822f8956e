import { closeSync } from 'node:fs'
import { bindInternetSocket, listenOnSocket } from '#builder/linux'
import { DNS_PORT } from './dns-message.ts'

/** Descriptors of a bound UDP socket and of a listening TCP socket. */
export interface ResolverSockets {
  readonly address: string
  readonly udp: number
  readonly tcp: number
}

/**
 * Makes the sockets of a resolver in the network of the calling thread, for any thread to serve: a socket
 * stays in the network that it was made in.
 * @param addresses of interfaces of that network
 */
export function bindResolver(addresses: readonly string[]): readonly ResolverSockets[] {
  const opened: number[] = []
  const bind = (kind: 'udp' | 'tcp', address: string): number => {
    const socket = bindInternetSocket(kind, address, DNS_PORT)
    opened.push(socket)
    return socket
  }
  try {
    return addresses.map((address) => {
      const sockets = { address, udp: bind('udp', address), tcp: bind('tcp', address) }
      listenOnSocket(sockets.tcp)
      return sockets
    })
  } catch (cause) {
    for (const socket of opened) closeSync(socket)
    throw cause
  }
}
