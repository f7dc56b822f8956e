/**
 * What the host has of the networks of containers behind a hub: routes to them and rules, which are in the hub's own
 * table and go with it. The host knows containers by their own addresses.
 */

import type { HubHost } from '../hub/hub.ts'
import { HOST_CHAINS } from '../hub/hub-rules.ts'
import {
  type Address,
  hostPrefix,
  isVersion6,
  type Prefix,
  parseAddress,
  wholePrefix,
} from '../links/address.ts'
import {
  addNetworkRoute,
  addOtherAddress,
  deleteAddress,
  deleteNetworkRoute,
} from '../links/address-requests.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import {
  accept,
  cameBy,
  from,
  goesBy,
  masquerade,
  ofProtocol,
  ofVersion,
  type Rule,
  sendTo,
  to,
  toOther,
  toPort,
  toThis,
} from '../rules/expressions.ts'
import { forgetDatagrams } from '../rules/forget-flows.ts'
import { readRules } from '../rules/read-rules.ts'
import {
  appendRule,
  type ChainName,
  commit,
  deleteRule,
  prependRule,
} from '../rules/rule-requests.ts'

/** A network of containers as the host sees it. Data: it can be posted to a thread. */
export interface HostNetwork {
  /** Names its rules. */
  readonly key: string
  readonly prefixes: readonly Prefix[]
  /** What its containers call the host: addresses of the host, too, as those of docker's bridges are. */
  readonly gateways: readonly Address[]
  /** Whether other machines see the host in place of the containers. */
  readonly translation: 'masquerade' | 'none'
}

/** A port of the host that leads to one of a container. Data, too. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** An address of the host, or all (`0.0.0.0`, `::`). */
  readonly hostAddress: string
  readonly hostPort: number
  readonly address: string
  readonly port: number
}

/** Routes to a network, and lets its packets pass. @throws {SystemError} */
export function admitNetwork(host: HubHost, network: HostNetwork): void {
  const { rules, link, plan } = host
  const prefixes = reachable(host, network.prefixes)
  using links = new NetlinkSocket('route')
  for (const prefix of prefixes) {
    const [first, second] = plan.addresses.host
    const source = isVersion6(prefix.address) ? second : first
    if (source !== undefined) links.request(addNetworkRoute(link, prefix, source))
  }
  for (const address of ownAddresses(network)) links.request(addOtherAddress(link, address))
  const { key: comment, translation } = network
  const chain = (name: string): ChainName => chainOf(host, name)
  commit(
    rules,
    ...prefixes.flatMap((prefix) => [
      prependRule(
        { rule: [...cameBy(plan.uplink), ...from(prefix), ...accept()], comment },
        chain(HOST_CHAINS.host),
      ),
      appendRule(
        {
          // What comes back to a container by a port of the host has to be seen to come from the host.
          rule: [
            ...(translation === 'none' ? goesBy(plan.uplink) : []),
            ...from(prefix),
            ...masquerade(),
          ],
          comment,
        },
        chain(HOST_CHAINS.translation),
      ),
    ]),
  )
}

/** Takes that back. */
export function dismissNetwork(host: HubHost, network: HostNetwork): void {
  const prefixes = reachable(host, network.prefixes)
  using links = new NetlinkSocket('route')
  for (const prefix of prefixes) links.request(deleteNetworkRoute(host.link, prefix))
  for (const address of ownAddresses(network)) {
    links.request(deleteAddress(host.link, address))
  }
  removeRules(host, network.key, [HOST_CHAINS.host, HOST_CHAINS.translation])
}

/** Sends what comes for ports of the host to containers. @param key names the rules */
export function openPorts(host: HubHost, key: string, ports: readonly PortRule[]): void {
  const requests = ports.flatMap((port) => {
    const rule = portRule(port)
    return [
      appendRule({ rule, comment: key }, chainOf(host, HOST_CHAINS.ports)),
      appendRule(
        { rule: [...toOther(loopbackFor(port)), ...rule], comment: key },
        chainOf(host, HOST_CHAINS.ownPorts),
      ),
    ]
  })
  if (requests.length > 0) commit(host.rules, ...requests)
}

/** Takes that back. */
export function closePorts(host: HubHost, key: string, ports: readonly PortRule[]): void {
  removeRules(host, key, [HOST_CHAINS.ports, HOST_CHAINS.ownPorts])
  const targets = ports.filter(({ protocol }) => protocol === 'udp').map(({ address }) => address)
  for (const text of new Set(targets)) {
    const address = parseAddress(text)
    if (address !== undefined) forgetDatagrams(host.rules, address)
  }
}

function portRule({ protocol, hostAddress, hostPort, address, port }: PortRule): Rule {
  const [own, target] = [parseAddress(hostAddress), parseAddress(address)]
  if (own === undefined || target === undefined) throw new Error(`no address: ${hostAddress}`)
  const isAny = own.every((byte) => byte === 0)
  return [
    ...(isAny ? [...ofVersion(isVersion6(own) ? 6 : 4), ...toThis()] : to(hostPrefix(own))),
    ...ofProtocol(protocol),
    ...toPort(hostPort),
    ...sendTo(target, port),
  ]
}

/** A connection from loopback cannot leave the host; it is passed on by a program. */
function loopbackFor({ hostAddress }: PortRule): Prefix {
  return hostAddress.includes(':')
    ? { address: Uint8Array.of(...new Uint8Array(15), 1), length: 128 }
    : { address: Uint8Array.of(127, 0, 0, 0), length: 8 }
}

/** Of both versions, only those that the hub is joined to the host by. */
function reachable({ plan }: HubHost, prefixes: readonly Prefix[]): readonly Prefix[] {
  const hasVersion6 = plan.addresses.host.length > 1
  return prefixes.filter(({ address }) => hasVersion6 || !isVersion6(address)).map(wholePrefix)
}

/** Of version 4 only: another address of version 6 would be what the kernel chooses to answer containers from. */
function ownAddresses({ gateways }: HostNetwork): readonly Address[] {
  return gateways.filter((address) => !isVersion6(address))
}

function removeRules(host: HubHost, key: string, chains: readonly string[]): void {
  const found = chains.flatMap((chain) =>
    readRules(host.rules, chainOf(host, chain)).filter(({ comment }) => comment === key),
  )
  if (found.length > 0) commit(host.rules, ...found.map(deleteRule))
}

function chainOf({ plan }: HubHost, chain: string): ChainName {
  return { family: 'inet', table: plan.uplink, chain }
}
