import { closeSync, openSync } from 'node:fs'
import { enterNamespaces, unshareNamespaces } from '#builder/linux'
import { addressText } from '../links/address.ts'
import { addAddress, addDefaultRoute, addHostRoute } from '../links/address-requests.ts'
import { addLinkPair, LOOPBACK_INDEX, raiseLink, withoutLinkLocal } from '../links/link-requests.ts'
import { type NetlinkRequest, NetlinkSocket } from '../netlink/netlink-socket.ts'
import type { ResolverPlace, StepNetwork } from '../network.ts'
import { bindResolver, type ResolverSockets } from '../resolver/resolver-sockets.ts'
import { addTable, commit } from '../rules/rule-requests.ts'
import type { HubAddresses } from './hub-addresses.ts'
import { type HubUsers, hubTable } from './hub-rules.ts'
import {
  FORWARDS_VERSION6,
  forwardsVersion4,
  hasSetting,
  keepBridgesBare,
  switchSetting,
} from './link-settings.ts'

/** How a router is made. */
export interface RouterOptions extends HubUsers {
  readonly addresses: HubAddresses
  /** Bytes of the largest packet of steps. */
  readonly mtu: number
}

/**
 * A network namespace of this builder, through which its steps reach the world: it has one link to each step,
 * and one that something else joins to the world. It lasts as long as its descriptor, and with it all links.
 *
 * For the thread that opened it, which enters namespaces and comes back to its home.
 */
export class Router implements Disposable {
  /** Where the resolver of its steps listens. */
  readonly resolver: ResolverPlace
  /** To its links, addresses and routes. */
  readonly links: NetlinkSocket
  readonly #home: number
  readonly #addresses: HubAddresses
  readonly #mtu: number

  /** @param home descriptor of the network namespace that the calling thread is in */
  constructor(home: number, { addresses, mtu, ...users }: RouterOptions) {
    this.#home = home
    this.#addresses = addresses
    this.#mtu = mtu
    const { namespace, links } = inNewNetwork(home, () => {
      const socket = new NetlinkSocket('route')
      try {
        using rules = new NetlinkSocket('netfilter')
        commit(rules, ...addTable(hubTable(addresses, users)))
        if (users.containers !== undefined) keepBridgesBare()
        // Nothing but the router is here.
        switchSetting(forwardsVersion4('all'), 'on')
        const isVersion6 = addresses.gateway.length > 1 || users.containers !== undefined
        if (isVersion6 && hasVersion6()) switchSetting(FORWARDS_VERSION6, 'on')
        socket.request(
          raiseLink(LOOPBACK_INDEX),
          ...addresses.gateway.map((address) => addAddress(LOOPBACK_INDEX, address)),
        )
        return { namespace: openNamespace(), links: socket }
      } catch (cause) {
        socket[Symbol.dispose]()
        throw cause
      }
    })
    this.links = links
    this.resolver = { namespace, addresses: addresses.gateway.map(addressText) }
  }

  /**
   * Makes a network for a step: a namespace with a link to the router.
   * @param number from 0, below `STEPS`; no other network that is in use has it
   */
  makeNetwork(number: number): StepNetwork {
    return inNewNetwork(this.#home, () => {
      using links = new NetlinkSocket('route')
      const namespace = openNamespace()
      try {
        const { gateway, stepAt } = this.#addresses
        const [addresses, here] = [stepAt(number), STEP_LINKS + number]
        const there = { name: 'eth0', index: ONLY_LINK, namespace }
        this.links.request(
          addLinkPair({ here: { name: `step${number}`, index: here }, there, mtu: this.#mtu }),
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

  /** Makes the sockets of the resolver. They belong to the caller. */
  bindResolver(): readonly ResolverSockets[] {
    return this.inNetwork(this.resolver.namespace, () => bindResolver(this.resolver.addresses))
  }

  /** Makes an empty network, which lasts as long as its descriptor. @param prepare is called in it */
  makeEmpty(prepare: () => void): number {
    return inNewNetwork(this.#home, () => {
      prepare()
      return openNamespace()
    })
  }

  /** Does something in a network: the router's, or one that it made. */
  inNetwork<T>(namespace: number, action: () => T): T {
    enterNamespaces({ net: namespace })
    try {
      return action()
    } finally {
      enterNamespaces({ net: this.#home })
    }
  }

  [Symbol.dispose](): void {
    this.links[Symbol.dispose]()
    closeSync(this.resolver.namespace)
  }
}

/** Index of the link in a namespace that has one besides loopback. */
export const ONLY_LINK = 2

/** In the router, indices of the links to steps. */
const STEP_LINKS = 16

/** Switches a link on that has no addresses but those that it is given. */
export function raise(index: number): readonly NetlinkRequest[] {
  return [...(hasVersion6() ? [withoutLinkLocal(index)] : []), raiseLink(index)]
}

/** Whether the kernel has version 6 at all. */
export function hasVersion6(): boolean {
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

/** A descriptor of the network namespace that the calling thread is in. */
function openNamespace(): number {
  return openSync('/proc/thread-self/ns/net', 'r')
}
