/**
 * What the packet filter of a network namespace has.
 * Spec: nf_tables.h of the kernel
 */
import { Buffer } from 'node:buffer'
import { type Attribute, type Attributes, decodeAttributes, textOf } from '../netlink/attributes.ts'
import type { NetlinkSocket } from '../netlink/netlink-socket.ts'
import {
  type ChainName,
  commentIn,
  FAMILIES,
  type Family,
  HOOKS,
  header,
  messageType,
  type PlacedRule,
} from './rule-requests.ts'

/** A table, and whether it belongs to a socket. */
export interface FoundTable {
  readonly family: Family
  readonly name: string
  readonly isOwned: boolean
}

/** A chain that packets pass that are forwarded. */
export interface ForwardChain extends ChainName {
  /** Whether it drops what none of its rules accepts. */
  readonly drops: boolean
}

/** A rule with its comment. */
export interface FoundRule extends PlacedRule {
  readonly comment: string | undefined
}

/** All tables for packets of the internet protocol. */
export function readTables(socket: NetlinkSocket): readonly FoundTable[] {
  return dump(socket, NFT_MSG_GETTABLE).map(([family, attributes]) => ({
    family,
    name: textOf(attributes.get(NFTA_TABLE_NAME)),
    isOwned: attributes.has(NFTA_TABLE_OWNER),
  }))
}

/** All chains that packets pass that are forwarded. */
export function readForwardChains(socket: NetlinkSocket): readonly ForwardChain[] {
  return dump(socket, NFT_MSG_GETCHAIN).flatMap(([family, attributes]) => {
    const hook = decodeAttributes(attributes.get(NFTA_CHAIN_HOOK) ?? Buffer.alloc(0))
    if (hook.get(NFTA_HOOK_HOOKNUM)?.readUInt32BE() !== HOOKS.forward) return []
    const table = textOf(attributes.get(NFTA_CHAIN_TABLE))
    const chain = textOf(attributes.get(NFTA_CHAIN_NAME))
    const drops = attributes.get(NFTA_CHAIN_POLICY)?.readUInt32BE() === NF_DROP
    return [{ family, table, chain, drops }]
  })
}

/** The rules of a chain. */
export function readRules(socket: NetlinkSocket, name: ChainName): readonly FoundRule[] {
  const { family, table, chain } = name
  const only: readonly Attribute[] = [
    [NFTA_RULE_TABLE, table],
    [NFTA_RULE_CHAIN, chain],
  ]
  return dump(socket, NFT_MSG_GETRULE, { family, only }).map(([, attributes]) => ({
    ...{ family, table, chain },
    handle: attributes.get(NFTA_RULE_HANDLE) ?? Buffer.alloc(8),
    comment: commentIn(attributes.get(NFTA_RULE_USERDATA)),
  }))
}

function dump(
  socket: NetlinkSocket,
  message: number,
  { family, only = [] }: { readonly family?: Family; readonly only?: readonly Attribute[] } = {},
): readonly (readonly [Family, Attributes])[] {
  const request = {
    type: messageType(message),
    header: header(family ?? 'any'),
    attributes: only,
    doing: 'list the packet filter',
  }
  return socket.dump(request).flatMap(({ payload }) => {
    const found = NAMES.get(payload.readUInt8())
    return found === undefined ? [] : [[found, decodeAttributes(payload.subarray(4))] as const]
  })
}

const NAMES: ReadonlyMap<number, Family> = new Map(
  Object.entries(FAMILIES).map(([name, number]) => [number, name as Family]),
)

const NFT_MSG_GETTABLE = 1
const NFT_MSG_GETCHAIN = 4
const NFT_MSG_GETRULE = 7
const NFTA_TABLE_NAME = 1
const NFTA_TABLE_OWNER = 7
const NFTA_CHAIN_TABLE = 1
const NFTA_CHAIN_NAME = 3
const NFTA_CHAIN_HOOK = 4
const NFTA_CHAIN_POLICY = 5
const NFTA_HOOK_HOOKNUM = 1
const NF_DROP = 0
const NFTA_RULE_TABLE = 1
const NFTA_RULE_CHAIN = 2
const NFTA_RULE_HANDLE = 3
const NFTA_RULE_USERDATA = 7
