import { prefixText } from '../links/address.ts'
import { readRoutes } from '../links/host-links.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'

/** Prefixes that are shorter are ways out of a network, not networks: 0.0.0.0/1 of a tunnel. */
const SHORTEST_NETWORK = 8

/** The networks that the routes of the calling thread's network lead to, this machine's addresses included. */
export function hostPrefixes(): readonly string[] {
  using socket = new NetlinkSocket('route')
  const networks = readRoutes(socket).filter(({ to }) => to.length >= SHORTEST_NETWORK)
  return networks.map(({ to }) => prefixText(to))
}
