import { addAddress, addDefaultRoute, addHostRoute } from '../links/address-requests.ts'
import { readLinks } from '../links/host-links.ts'
import { addLinkPair } from '../links/link-requests.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import type { ResolverPlace, StepNetwork } from '../network.ts'
import type { ResolverSockets } from '../resolver/resolver-sockets.ts'
import { lockHost } from './host-lock.ts'
import { admitHub, dismissHub, type HubPlan, planHub, readmitHub } from './host-side.ts'
import { type HostWay, OUT } from './hub-rules.ts'
import type { Setting } from './link-settings.ts'
import { ONLY_LINK, Router, raise } from './router.ts'

/** Where a hub is joined to its host. */
export interface HubHost {
  /** The socket that owns the hub's table there. */
  readonly rules: NetlinkSocket
  /** Index of the link to the hub. */
  readonly link: number
  readonly plan: HubPlan
}

/** A router that a link joins to the host, which lets its packets pass. */
export class Hub implements Disposable {
  /** For the networks of containers. */
  readonly router: Router
  readonly host: HubHost
  /** Of the host: it owns the hub's table there. */
  readonly #hostRules: NetlinkSocket
  /** Settings of the host that hubs have switched on. */
  #switched: ReadonlySet<Setting> = new Set()
  /** Links to other machines by which its packets pass. */
  #outlets: ReadonlySet<string>

  /**
   * Opens a hub in the host's network, in which the calling thread is.
   * @param home descriptor of the host's network namespace
   * @throws {SystemError} of what the kernel does not let this process do; nothing is left then
   */
  constructor(home: number, users: HostWay['users'] = 'steps') {
    using _lock = lockHost()
    using hostLinks = new NetlinkSocket('route')
    this.#hostRules = new NetlinkSocket('netfilter')
    let plan: HubPlan
    try {
      plan = planHub(hostLinks, this.#hostRules)
      const { addresses, outlets } = plan
      const containers = { translation: 'host', host: addresses.host } as const
      this.router = new Router(home, {
        ...{ addresses, mtu: outlets.mtu, closed: [] },
        ...(users === 'containers' && { containers }),
      })
    } catch (cause) {
      this.#hostRules[Symbol.dispose]()
      throw cause
    }
    try {
      const link = connect(hostLinks, this.router, plan)
      if (users === 'containers') {
        hostLinks.request(...plan.addresses.host.map((address) => addAddress(link, address)))
      }
      this.#switched = admitHub(this.#hostRules, plan, users)
      this.#outlets = new Set(plan.outlets.names)
      this.host = { rules: this.#hostRules, link, plan }
    } catch (cause) {
      this.#release()
      throw cause
    }
  }

  /** Where the resolver of its steps listens. */
  get resolver(): ResolverPlace {
    return this.router.resolver
  }

  /** As `Router.makeNetwork` */
  makeNetwork(number: number): StepNetwork {
    return this.router.makeNetwork(number)
  }

  /** As `Router.bindResolver` */
  bindResolver(): readonly ResolverSockets[] {
    return this.router.bindResolver()
  }

  /**
   * Looks at the host again, for a hub that lasts: links to other machines come, and rules of others that drop
   * what nothing accepts are loaded anew.
   */
  refresh(): void {
    using _lock = lockHost()
    const { names, switched } = readmitHub(this.host, this.#outlets)
    this.#outlets = names
    this.#switched = new Set([...this.#switched, ...switched])
  }

  [Symbol.dispose](): void {
    using _lock = lockHost()
    this.#release()
  }

  /** The host's lock is held. */
  #release(): void {
    this.router[Symbol.dispose]()
    dismissHub(this.#hostRules, this.#switched)
  }
}

/** Joins host and router. @returns the index of the host's link */
function connect(
  host: NetlinkSocket,
  { links, resolver: { namespace } }: Router,
  { uplink, addresses, outlets }: HubPlan,
): number {
  const there = { name: OUT, index: ONLY_LINK, namespace }
  host.request(addLinkPair({ here: { name: uplink, index: 0 }, there, mtu: outlets.mtu }))
  const index = readLinks(host).find(({ name }) => name === uplink)?.index ?? 0
  host.request(...raise(index), ...addresses.hub.map((address) => addHostRoute(index, address)))
  links.request(
    ...raise(ONLY_LINK),
    ...addresses.hub.map((address) => addAddress(ONLY_LINK, address)),
    ...addresses.host.map((address) => addDefaultRoute(ONLY_LINK, address)),
  )
  return index
}
