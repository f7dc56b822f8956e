import { type Address, LINK_LOCAL, type Prefix } from '../links/address.ts'
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
  type Rule,
  refuse,
  to,
  toNoOther,
  toPort,
} from '../rules/expressions.ts'
import type { Chain, Table } from '../rules/rule-requests.ts'
import type { HubAddresses } from './hub-addresses.ts'

/** The hub's link to the host, in the hub. */
export const OUT = 'out'

/**
 * The rules in a hub: steps reach the world through it, of the hub only the resolver, and each other not at
 * all. They do not depend on how many steps there are.
 * @param closed what steps do not reach, besides what no step does
 */
export function hubTable({ gateway }: HubAddresses, closed: readonly Prefix[]): Table {
  const toResolver = gateway.flatMap((address) =>
    (['udp', 'tcp'] as const).map((protocol) => [
      ...to(whole(address)),
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
        [...cameBy(OUT), ...drop()],
        ...toResolver,
        ...refuse([]),
      ]),
      chain('world', 'forward', 'filter', [
        [...ofKnownConnection(), ...accept()],
        [...cameBy(OUT), ...drop()],
        ...refuse(goesByOther(OUT)),
        ...[...CLOSED, ...closed].flatMap((prefix) => refuse(to(prefix))),
      ]),
      chain('translation', 'postrouting', 'source', [[...goesBy(OUT), ...masquerade()]]),
    ],
  }
}

/**
 * The rules of a host for one hub. Before a rule of the host can send a packet elsewhere, it is seen whether it
 * is for the host itself, whatever addresses that has by then.
 * @param uplink the link to the hub, and the name of the table
 * @param outlets the links to other machines
 */
export function hostTable(
  uplink: string,
  { hub }: HubAddresses,
  outlets: readonly string[],
): Table {
  return {
    family: 'inet',
    name: uplink,
    isOwned: true,
    chains: [
      chain('host', 'prerouting', 'raw', refuse([...cameBy(uplink), ...toNoOther()])),
      chain('outlets', 'forward', 'filter', [
        ...outlets.map((outlet) => [...cameBy(uplink), ...goesBy(outlet), ...accept()]),
        ...refuse(cameBy(uplink)),
        [...goesBy(uplink), ...ofKnownConnection(), ...accept()],
        [...goesBy(uplink), ...drop()],
      ]),
      chain('translation', 'postrouting', 'source', [
        ...hub.map((address) => [...from(whole(address)), ...masquerade()]),
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
  whole(Uint8Array.of(100, 100, 100, 200)),
  whole(Uint8Array.of(192, 0, 0, 192)),
  whole(Uint8Array.of(168, 63, 129, 16)),
  whole(Uint8Array.of(0xfd, 0x00, 0x0e, 0xc2, ...new Uint8Array(10), 0x02, 0x54)),
  whole(Uint8Array.of(0xfd, 0x20, 0x00, 0xce, ...new Uint8Array(10), 0x02, 0x54)),
]

function whole(address: Address): Prefix {
  return { address, length: address.length * 8 }
}

function chain(
  name: string,
  hook: Chain['hook'],
  ...[stage, rules]: readonly [Chain['stage'], readonly Rule[]]
): Chain {
  return { name, hook, stage, rules: rules.map((rule) => ({ rule })) }
}
