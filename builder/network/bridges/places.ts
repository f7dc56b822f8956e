/** Places of containers: network namespaces that are there before their first process, and after their last one. */
import { writeFileSync } from 'node:fs'
import { bindInternetSocket, listenOnSocket, portOfSocket, SystemError } from '#builder/linux'
import { errnoOf } from '#core'
import type { Router } from '../hub/router.ts'
import { type Address, hostPrefix, parseAddress } from '../links/address.ts'
import { addGatewayRoute, deleteGatewayRoute } from '../links/address-requests.ts'
import { LOOPBACK_INDEX, raiseLink } from '../links/link-requests.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import type { ResolverSockets } from '../resolver/resolver-sockets.ts'
import { ofProtocol, sendTo, to, toPort } from '../rules/expressions.ts'
import { addTable, commit } from '../rules/rule-requests.ts'

/** The address at which containers ask for names. */
const NAMES_ADDRESS = '127.0.0.11'

/** How packets leave a place whose other routes do not fit. */
export interface GatewayRoute {
  /** Index of the link. */
  readonly link: number
  readonly gateway: Address
}

/** A change of the default routes of a place. Data: it can be posted to a thread. */
export interface RouteChange {
  /** Descriptor of its network. */
  readonly namespace: number
  readonly removed: readonly GatewayRoute[]
  readonly added: readonly GatewayRoute[]
}

/** Makes a place with loopback only. @returns the descriptor of its network, which lasts as long as that */
export function makePlace(router: Router): number {
  return router.makeEmpty(() => {
    using links = new NetlinkSocket('route')
    links.request(raiseLink(LOOPBACK_INDEX))
    for (const [path, value] of PLACE_SETTINGS) set(path, value)
  })
}

/**
 * As docker has them: no port and no ping needs a right. A link says whose addresses it has when it is switched on, since
 * its neighbours may remember another container.
 */
const PLACE_SETTINGS = [
  ['/proc/sys/net/ipv4/ip_unprivileged_port_start', '0'],
  ['/proc/sys/net/ipv4/ping_group_range', '0 2147483647'],
  ['/proc/sys/net/ipv4/conf/default/arp_notify', '1'],
  ['/proc/sys/net/ipv6/conf/default/ndisc_notify', '1'],
] as const

/** A user namespace has fewer groups than are named here; then pings need the right, as under docker. */
function set(path: string, value: string): void {
  try {
    writeFileSync(path, value)
  } catch (cause) {
    if (!UNSETTABLE.has(errnoOf(cause) ?? '')) throw cause
  }
}

const UNSETTABLE: ReadonlySet<string> = new Set(['ENOENT', 'EINVAL', 'EACCES', 'EROFS'])

/** Changes by which ways packets leave a place. What is removed may have gone with its link. */
export function changeRoutes(router: Router, { namespace, removed, added }: RouteChange): void {
  router.inNetwork(namespace, () => {
    using links = new NetlinkSocket('route')
    for (const { link, gateway } of removed) {
      try {
        links.request(deleteGatewayRoute(link, gateway))
      } catch (cause) {
        if (!(cause instanceof SystemError)) throw cause
      }
    }
    if (added.length > 0) {
      links.request(...added.map(({ link, gateway }) => addGatewayRoute(link, gateway)))
    }
  })
}

/**
 * Makes the sockets at which a place asks for names, on ports that the kernel chooses, so that a container may have
 * port 53; what it sends to that of `NAMES_ADDRESS` goes there by a rule of its own network.
 */
export function bindNames(router: Router, namespace: number): ResolverSockets {
  return router.inNetwork(namespace, () => {
    const udp = bindInternetSocket('udp', NAMES_ADDRESS, 0)
    const tcp = bindInternetSocket('tcp', NAMES_ADDRESS, 0)
    listenOnSocket(tcp)
    const address = parseAddress(NAMES_ADDRESS) ?? new Uint8Array(4)
    const ports = { udp: portOfSocket(udp), tcp: portOfSocket(tcp) }
    using rules = new NetlinkSocket('netfilter')
    const redirections = (['udp', 'tcp'] as const).map((protocol) => ({
      rule: [
        ...to(hostPrefix(address)),
        ...ofProtocol(protocol),
        ...toPort(DNS_PORT),
        ...sendTo(address, ports[protocol]),
      ],
    }))
    const chain = { name: 'names', hook: 'output', stage: 'target', rules: redirections } as const
    commit(rules, ...addTable({ family: 'inet', name: 'names', isOwned: false, chains: [chain] }))
    return { address: NAMES_ADDRESS, udp, tcp }
  })
}

const DNS_PORT = 53
