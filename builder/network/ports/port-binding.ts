/** A port of a container that is to be reached by the host. */
export interface PortBinding {
  readonly protocol: PortProtocol
  /** Of the container. */
  readonly port: number
  /** An address of the host; empty: all of them. */
  readonly hostAddress: string
  /** The first and last port of the host that it may be; absent: one that the host has left. */
  readonly hostPorts: readonly [first: number, last: number] | undefined
}

/** Protocols that have ports. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp'

/** Where a port of a container is reached. */
export interface PublishedPort {
  readonly protocol: PortProtocol
  readonly port: number
  readonly hostAddress: string
  readonly hostPort: number
}

/** The addresses of a container to which ports lead. */
export interface PortTarget {
  readonly version4: string | undefined
  readonly version6: string | undefined
}

/** The address to which packets for an address of the host lead: those of version 6 may lead to one of version 4. */
export function targetFor(hostAddress: string, target: PortTarget): string | undefined {
  return hostAddress.includes(':')
    ? (target.version6 ?? target.version4)
    : (target.version4 ?? undefined)
}
