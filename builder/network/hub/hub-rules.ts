import { type Address, hostPrefix, isVersion6, LINK_LOCAL, type Prefix } from '../links/address.ts'
import {
  accept,
  cameBy,
  drop,
  forged,
  from,
  goesBy,
  goesByOther,
  masquerade,
  ofKnownConnection,
  ofProtocol,
  ofTranslatedTarget,
  ofVersion,
  type Rule,
  refuse,
  sendTo,
  to,
  toNoOther,
  toPort,
  toThis,
} from '../rules/expressions.ts'
import type { Chain, Table } from '../rules/rule-requests.ts'
import type { HubAddresses } from './hub-addresses.ts'

/** The hub's link to the host, in the hub. */
export const OUT = 'out'

/** Names of links in a hub to networks of containers, and to those without a way out. */
export const NETWORKS = 'net'
export const INNER_NETWORKS = 'int'

/** How the containers of a hub reach the world; their networks are bridges in the hub. */
export interface ContainerWay {
  /** Who makes an address that the world knows of those of containers. */
  readonly translation: 'hub' | 'host'
  /** Where the host can be asked: what a container asks its gateway for goes there. */
  readonly host: readonly Address[]
}

/** For whom a hub is, besides steps. */
export interface HubUsers {
  /** What steps do not reach, besides what no step does. */
  readonly closed: readonly Prefix[]
  /** Absent: there are no containers. */
  readonly containers?: ContainerWay | undefined
}

/**
 * The rules in a hub: steps reach the world through it, of the hub only the resolver, and each other not at
 * all; containers reach the world and the host, and those of their own networks without passing a rule. They do
 * not depend on how many there are.
 */
export function hubTable({ gateway, host }: HubAddresses, { closed, containers }: HubUsers): Table {
  const rules = containers === undefined ? NO_CONTAINERS : containerRules(containers, host)
  const toResolver = gateway.flatMap((address) =>
    (['udp', 'tcp'] as const).map((protocol) => [
      ...to(hostPrefix(address)),
      ...ofProtocol(protocol),
      ...toPort(53),
      ...accept(),
    ]),
  )
  return {
    family: 'inet',
    name: 'steps',
    isOwned: false,
    chains: [
      chain('sources', 'prerouting', 'raw', [[...forged(), ...drop()]]),
      chain('resolver', 'input', 'filter', [
        [...cameBy('lo'), ...accept()],
        [...ofKnownConnection(), ...accept()],
        ...rules.toHub,
        [...cameBy(OUT), ...drop()],
        ...toResolver,
        ...refuse([]),
      ]),
      chain('world', 'forward', 'filter', [
        [...ofKnownConnection(), ...accept()],
        ...rules.toNetworks,
        [...cameBy(OUT), ...drop()],
        ...refuse(goesByOther(OUT)),
        ...rules.toWorld,
        ...[...CLOSED, ...closed].flatMap((prefix) => refuse(to(prefix))),
      ]),
      ...(containers === undefined
        ? []
        : [chain('gateways', 'prerouting', 'target', rules.toGateways)]),
      chain('translation', 'postrouting', 'source', [
        ...rules.translation,
        [...goesBy(OUT), ...masquerade()],
      ]),
    ],
  }
}

/** What is added to the chains of a hub for its containers. */
interface ContainerRules {
  readonly toHub: readonly Rule[]
  readonly toNetworks: readonly Rule[]
  readonly toWorld: readonly Rule[]
  readonly toGateways: readonly Rule[]
  readonly translation: readonly Rule[]
}

const NO_CONTAINERS: ContainerRules = {
  ...{ toHub: [], toNetworks: [], toWorld: [], toGateways: [], translation: [] },
}

/**
 * What comes from the host for containers is the host's own, or for a port that it publishes: see `hostTable`. They see
 * the host by the address of their gateway.
 */
function containerRules(way: ContainerWay, host: readonly Address[]): ContainerRules {
  const [networks, inner] = [`${NETWORKS}*`, `${INNER_NETWORKS}*`]
  const all = [networks, inner]
  return {
    toHub: all.flatMap((name) =>
      (['icmp', 'icmpv6'] as const).map((protocol) => [
        ...cameBy(name),
        ...ofProtocol(protocol),
        ...accept(),
      ]),
    ),
    toNetworks: all.map((name) => [...cameBy(OUT), ...goesBy(name), ...accept()]),
    toWorld: [...refuse(cameBy(inner)), [...cameBy(networks), ...accept()]],
    toGateways: way.host.flatMap((address) =>
      (['tcp', 'udp'] as const).map((protocol) => [
        ...cameBy(networks),
        ...ofVersion(isVersion6(address) ? 6 : 4),
        ...ofProtocol(protocol),
        ...toThis(),
        ...sendTo(address),
      ]),
    ),
    translation: [
      ...(way.translation === 'host' ? [[...cameBy(networks), ...goesBy(OUT), ...accept()]] : []),
      ...host.flatMap((address) =>
        all.map((name) => [...goesBy(name), ...from(hostPrefix(address)), ...masquerade()]),
      ),
    ],
  }
}

/** What of a host is for one hub. */
export interface HostWay {
  readonly addresses: HubAddresses
  /** The links to other machines. */
  readonly outlets: readonly string[]
  readonly users: 'steps' | 'containers'
}

/** Chains of the host's table to which rules are added later. */
export const HOST_CHAINS = {
  /** What is for the host itself. */
  host: 'host',
  /** What goes to other machines and comes from them. */
  outlets: 'outlets',
  translation: 'translation',
  /** Where packets for published ports go: of others, and of the host. */
  ports: 'ports',
  ownPorts: 'own-ports',
} as const

/**
 * The rules of a host for one hub. Before a rule of the host can send a packet elsewhere, it is seen whether it
 * is for the host itself, whatever addresses that has by then.
 * @param uplink the link to the hub, and the name of the table
 */
export function hostTable(uplink: string, { addresses, outlets, users }: HostWay): Table {
  const { hub } = addresses
  const isForContainers = users === 'containers'
  const toPorts = isForContainers
    ? [cameBy(uplink), goesBy(uplink)].map((match) => [
        ...match,
        ...ofTranslatedTarget(),
        ...accept(),
      ])
    : []
  return {
    family: 'inet',
    name: uplink,
    isOwned: true,
    chains: [
      chain(HOST_CHAINS.host, 'prerouting', 'raw', refuse([...cameBy(uplink), ...toNoOther()])),
      ...(isForContainers
        ? [
            chain(HOST_CHAINS.ports, 'prerouting', 'target', []),
            chain(HOST_CHAINS.ownPorts, 'output', 'target', []),
          ]
        : []),
      chain(HOST_CHAINS.outlets, 'forward', 'filter', [
        ...toPorts,
        ...outlets.map((outlet) => [...cameBy(uplink), ...goesBy(outlet), ...accept()]),
        ...refuse(cameBy(uplink)),
        [...goesBy(uplink), ...ofKnownConnection(), ...accept()],
        [...goesBy(uplink), ...drop()],
      ]),
      chain(HOST_CHAINS.translation, 'postrouting', 'source', [
        ...hub.map((address) => [...from(hostPrefix(address)), ...masquerade()]),
      ]),
    ],
  }
}

/**
 * Addresses that steps have nothing to ask for: of the link, where clouds tell a machine its secrets, and
 * where some tell them besides (AWS, Google, Alibaba, Oracle, Azure).
 */
const CLOSED: readonly Prefix[] = [
  ...LINK_LOCAL,
  hostPrefix(Uint8Array.of(100, 100, 100, 200)),
  hostPrefix(Uint8Array.of(192, 0, 0, 192)),
  hostPrefix(Uint8Array.of(168, 63, 129, 16)),
  hostPrefix(Uint8Array.of(0xfd, 0x00, 0x0e, 0xc2, ...new Uint8Array(10), 0x02, 0x54)),
  hostPrefix(Uint8Array.of(0xfd, 0x20, 0x00, 0xce, ...new Uint8Array(10), 0x02, 0x54)),
]

function chain(
  name: string,
  hook: Chain['hook'],
  ...[stage, rules]: readonly [Chain['stage'], readonly Rule[]]
): Chain {
  return { name, hook, stage, rules: rules.map((rule) => ({ rule })) }
}
