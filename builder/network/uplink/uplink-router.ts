import { chooseAddresses } from '../hub/hub-addresses.ts'
import type { ContainerWay } from '../hub/hub-rules.ts'
import { findOutlets } from '../hub/outlets.ts'
import { Router } from '../hub/router.ts'
import { addressText } from '../links/address.ts'
import { type Route, readLinks, readRoutes } from '../links/host-links.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import type { ResolverPlace } from '../network.ts'
import { installedPrograms, type UplinkAddresses } from './uplink-programs.ts'

/** What of the host decides how a router is made that a program connects. Data: it can be posted to a thread. */
export interface UplinkPlan {
  readonly routes: readonly Route[]
  /** Whether steps have addresses of version 6: the host reaches others, and the program too. */
  readonly version6: boolean
  /** How containers reach the world, where there are any. */
  readonly containers?: ContainerWay | undefined
}

/** Where a program connects a router. Data, too. */
export interface UplinkPlace {
  readonly resolver: ResolverPlace
  readonly addresses: UplinkAddresses
}

/** Bytes: what goes through a program need not fit the links of the host, and costs by the packet. */
export const UPLINK_MTU = 65_520

/** Looks at the host, from its network. */
export function planUplink(): UplinkPlan {
  using socket = new NetlinkSocket('route')
  const routes = readRoutes(socket)
  const [program] = installedPrograms()
  const version6 = program?.version6 === true && findOutlets(readLinks(socket), routes).version6
  return { routes, version6 }
}

/**
 * Makes a router that is connected to nothing yet.
 * @param home descriptor of the network namespace that the calling thread is in
 * @throws {SystemError} of what the kernel does not let this process do
 */
export function makeUplinkRouter(
  home: number,
  { routes, version6, containers }: UplinkPlan,
): { readonly router: Router; readonly place: UplinkPlace } {
  const addresses = chooseAddresses(0, routes, { version6 })
  // The program reaches what the host does, and with it the host by all of its addresses.
  const closed = routes.filter(({ isLocal }) => isLocal).map(({ to }) => to)
  const router = new Router(home, { addresses, mtu: UPLINK_MTU, closed, containers })
  const own = addresses.hub.map(addressText)
  const gateway = addresses.host.map(addressText)
  return { router, place: { resolver: router.resolver, addresses: { own, gateway } } }
}
