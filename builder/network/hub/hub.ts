import { closeSync, openSync } from 'node:fs'
import { enterNamespaces, unshareNamespaces } from '#builder/linux'
import { addressText } from '../links/address.ts'
import { addAddress, addDefaultRoute, addHostRoute } from '../links/address-requests.ts'
import { readLinks } from '../links/host-links.ts'
import { addLinkPair, LOOPBACK_INDEX, raiseLink, withoutLinkLocal } from '../links/link-requests.ts'
import { type NetlinkRequest, NetlinkSocket } from '../netlink/netlink-socket.ts'
import type { ResolverPlace, StepNetwork } from '../network.ts'
import { addTable, commit } from '../rules/rule-requests.ts'
import { lockHost } from './host-lock.ts'
import { admitHub, dismissHub, type HubPlan, planHub } from './host-side.ts'
import { hubTable, OUT } from './hub-rules.ts'
import {
  FORWARDS_VERSION6,
  forwardsVersion4,
  hasSetting,
  type Setting,
  switchSetting,
} from './link-settings.ts'

/**
 * A network namespace of this builder, through which its steps reach the world: a router that a link joins to
 * the host, and one link to each step. It lasts as long as its descriptor, and with it all links.
 *
 * For the thread that opened it, which enters namespaces and comes back to the host's.
 */
export class Hub implements Disposable {
  /** Where the resolver of its steps listens. */
  readonly resolver: ResolverPlace
  readonly #home: number
  readonly #plan: HubPlan
  /** Of the hub. */
  readonly #links: NetlinkSocket
  /** Of the host: it owns the hub's table there. */
  readonly #hostRules: NetlinkSocket
  /** Settings of the host that hubs have switched on. */
  #switched: ReadonlySet<Setting> = new Set()

  /**
   * Opens a hub in the host's network, in which the calling thread is.
   * @param home descriptor of the host's network namespace
   * @throws {SystemError} of what the kernel does not let this process do; nothing is left then
   */
  constructor(home: number) {
    using _lock = lockHost()
    using hostLinks = new NetlinkSocket('route')
    this.#home = home
    this.#hostRules = new NetlinkSocket('netfilter')
    try {
      this.#plan = planHub(hostLinks, this.#hostRules)
      const { namespace, links } = makeRouter(home, this.#plan)
      this.#links = links
      this.resolver = { namespace, addresses: this.#plan.addresses.gateway.map(addressText) }
    } catch (cause) {
      this.#hostRules[Symbol.dispose]()
      throw cause
    }
    try {
      connect(hostLinks, this.#links, { ...this.#plan, namespace: this.resolver.namespace })
      this.#switched = admitHub(this.#hostRules, this.#plan)
    } catch (cause) {
      this.#release()
      throw cause
    }
  }

  /**
   * Makes a network for a step: a namespace with a link to the hub.
   * @param number from 0, below `STEPS`; no other network that is in use has it
   */
  makeNetwork(number: number): StepNetwork {
    return inNewNetwork(this.#home, () => {
      using links = new NetlinkSocket('route')
      const namespace = openNamespace()
      try {
        const { gateway, stepAt } = this.#plan.addresses
        const [addresses, here] = [stepAt(number), STEP_LINKS + number]
        const there = { name: 'eth0', index: ONLY_LINK, namespace }
        const { mtu } = this.#plan.outlets
        this.#links.request(
          addLinkPair({ here: { name: `step${number}`, index: here }, there, mtu }),
          ...raise(here),
          ...addresses.map((address) => addHostRoute(here, address)),
        )
        links.request(
          raiseLink(LOOPBACK_INDEX),
          ...raise(ONLY_LINK),
          ...addresses.map((address) => addAddress(ONLY_LINK, address)),
          ...gateway.map((address) => addDefaultRoute(ONLY_LINK, address)),
        )
        return { namespace, nameservers: this.resolver.addresses }
      } catch (cause) {
        closeSync(namespace)
        throw cause
      }
    })
  }

  [Symbol.dispose](): void {
    using _lock = lockHost()
    this.#release()
  }

  /** The host's lock is held. */
  #release(): void {
    this.#links[Symbol.dispose]()
    closeSync(this.resolver.namespace)
    dismissHub(this.#hostRules, this.#switched)
  }
}

/** Index of the link in a namespace that has one besides loopback. */
const ONLY_LINK = 2

/** In the hub, indices of the links to steps. */
const STEP_LINKS = 16

interface Router {
  readonly namespace: number
  readonly links: NetlinkSocket
}

/** Makes the hub's namespace, with the rules in it and a socket to it. */
function makeRouter(home: number, { addresses, outlets }: HubPlan): Router {
  return inNewNetwork(home, () => {
    const links = new NetlinkSocket('route')
    try {
      using rules = new NetlinkSocket('netfilter')
      commit(rules, ...addTable(hubTable(addresses)))
      // Nothing but the hub is here.
      switchSetting(forwardsVersion4('all'), 'on')
      if (outlets.version6 && hasSetting(FORWARDS_VERSION6)) switchSetting(FORWARDS_VERSION6, 'on')
      return { namespace: openNamespace(), links }
    } catch (cause) {
      links[Symbol.dispose]()
      throw cause
    }
  })
}

/** Joins host and hub. */
function connect(
  host: NetlinkSocket,
  hub: NetlinkSocket,
  { uplink, addresses, outlets, namespace }: HubPlan & { readonly namespace: number },
): void {
  const there = { name: OUT, index: ONLY_LINK, namespace }
  host.request(addLinkPair({ here: { name: uplink, index: 0 }, there, mtu: outlets.mtu }))
  const index = readLinks(host).find(({ name }) => name === uplink)?.index ?? 0
  host.request(...raise(index), ...addresses.hub.map((address) => addHostRoute(index, address)))
  hub.request(
    raiseLink(LOOPBACK_INDEX),
    ...addresses.gateway.map((address) => addAddress(LOOPBACK_INDEX, address)),
    ...raise(ONLY_LINK),
    ...addresses.hub.map((address) => addAddress(ONLY_LINK, address)),
    ...addresses.host.map((address) => addDefaultRoute(ONLY_LINK, address)),
  )
}

/** Switches a link on that has no addresses but those that it is given. */
function raise(index: number): readonly NetlinkRequest[] {
  return [...(hasVersion6() ? [withoutLinkLocal(index)] : []), raiseLink(index)]
}

/** Whether the kernel has version 6 at all. */
function hasVersion6(): boolean {
  return hasSetting(FORWARDS_VERSION6)
}

/** Does something in a new network namespace; the thread is back at `home` afterwards. */
function inNewNetwork<T>(home: number, action: () => T): T {
  unshareNamespaces(['net'])
  try {
    return action()
  } finally {
    enterNamespaces({ net: home })
  }
}

function openNamespace(): number {
  return openSync('/proc/thread-self/ns/net', 'r')
}
