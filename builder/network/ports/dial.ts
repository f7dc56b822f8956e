import type { Socket as UdpSocket } from 'node:dgram'
import type { Socket } from 'node:net'

/** Where a connection goes. */
export interface Target {
  readonly address: string
  readonly port: number
}

/** Reaches containers from their networks' gateway, wherever the host is. */
export interface Dialer {
  /** A connection that is being made: a failure is an error of it. */
  connect(target: Target): Promise<Socket>
  /** A socket that sends and receives there. */
  openUdp(target: Target): Promise<UdpSocket>
}
