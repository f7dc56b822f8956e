/**
 * Requests for tables, chains and rules of the packet filter.
 * Spec: nfnetlink.h and nf_tables.h of the kernel
 */
import { Buffer } from 'node:buffer'
import { type Attribute, be32 } from '../netlink/attributes.ts'
import { type NetlinkRequest, type NetlinkSocket, NLM_F } from '../netlink/netlink-socket.ts'
import type { Rule } from './expressions.ts'

/** Which packets a table is for. */
export type Family = 'inet' | 'ip' | 'ip6'

/** A table of rules. */
export interface Table {
  readonly family: Family
  readonly name: string
  /** Whether it belongs to the socket that makes it, and goes with it. */
  readonly isOwned: boolean
  readonly chains: readonly Chain[]
}

/** A chain that packets pass on their way through the machine; what no rule stops goes on. */
export interface Chain {
  readonly name: string
  readonly hook: keyof typeof HOOKS
  /** `raw` comes first, before addresses are translated, `filter` among all others. */
  readonly stage: keyof typeof STAGES
  readonly rules: readonly CommentedRule[]
}

/** A rule, and what it says of itself. */
export interface CommentedRule {
  readonly rule: Rule
  readonly comment?: string
}

/** Where rules are. */
export interface ChainName {
  readonly family: Family
  readonly table: string
  readonly chain: string
}

/** A rule that is there: the number by which it can be removed. */
export interface PlacedRule extends ChainName {
  readonly handle: Uint8Array
}

/** Does all that is asked for or nothing. @throws {SystemError} */
export function commit(socket: NetlinkSocket, ...requests: readonly NetlinkRequest[]): void {
  const batch = (type: number): NetlinkRequest => ({
    type,
    header: Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES),
    doing: 'change the packet filter',
  })
  socket.transaction(batch(NFNL_MSG_BATCH_BEGIN), requests, batch(NFNL_MSG_BATCH_END))
}

/** Adds a table with all that is in it. */
export function addTable({ family, name, isOwned, chains }: Table): readonly NetlinkRequest[] {
  const table: NetlinkRequest = {
    type: messageType(NFT_MSG_NEWTABLE),
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: header(family),
    attributes: [
      [NFTA_TABLE_NAME, name],
      [NFTA_TABLE_FLAGS, be32(isOwned ? NFT_TABLE_F_OWNER : 0)],
    ],
    doing: `add the table ${name}`,
  }
  const rest = chains.flatMap((chain) => [
    addChain(chain, { family, table: name, chain: chain.name }),
    ...chain.rules.map((rule) => appendRule(rule, { family, table: name, chain: chain.name })),
  ])
  return [table, ...rest]
}

function addChain({ hook, stage }: Chain, { family, table, chain }: ChainName): NetlinkRequest {
  const { type, priority } = STAGES[stage]
  return {
    type: messageType(NFT_MSG_NEWCHAIN),
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: header(family),
    attributes: [
      [NFTA_CHAIN_TABLE, table],
      [NFTA_CHAIN_NAME, chain],
      [
        NFTA_CHAIN_HOOK,
        [
          [1, be32(HOOKS[hook])],
          [2, be32(priority)],
        ],
      ],
      [NFTA_CHAIN_POLICY, be32(NF_ACCEPT)],
      [NFTA_CHAIN_TYPE, type],
    ],
    doing: `add the chain ${chain} to the table ${table}`,
  }
}

/** Adds a rule after those of its chain. */
export function appendRule(rule: CommentedRule, chain: ChainName): NetlinkRequest {
  return addRule(rule, chain, NLM_F.APPEND)
}

/** Adds a rule before those of its chain. */
export function prependRule(rule: CommentedRule, chain: ChainName): NetlinkRequest {
  return addRule(rule, chain, 0)
}

function addRule(
  { rule, comment }: CommentedRule,
  { family, table, chain }: ChainName,
  place: number,
): NetlinkRequest {
  const expressions = rule.map(([name, data]): Attribute => {
    return [
      NFTA_LIST_ELEM,
      [
        [NFTA_EXPR_NAME, name],
        [NFTA_EXPR_DATA, data],
      ],
    ]
  })
  return {
    type: messageType(NFT_MSG_NEWRULE),
    flags: NLM_F.CREATE | place,
    header: header(family),
    attributes: [
      [NFTA_RULE_TABLE, table],
      [NFTA_RULE_CHAIN, chain],
      [NFTA_RULE_EXPRESSIONS, expressions],
      ...(comment === undefined ? [] : [[NFTA_RULE_USERDATA, userData(comment)] as const]),
    ],
    doing: `add a rule to the chain ${chain} of the table ${table}`,
  }
}

/** Removes a table with all that is in it. */
export function deleteTable(family: Family, name: string): NetlinkRequest {
  return {
    type: messageType(NFT_MSG_DELTABLE),
    header: header(family),
    attributes: [[NFTA_TABLE_NAME, name]],
    doing: `remove the table ${name}`,
  }
}

/** Removes a rule. */
export function deleteRule({ family, table, chain, handle }: PlacedRule): NetlinkRequest {
  return {
    type: messageType(NFT_MSG_DELRULE),
    header: header(family),
    attributes: [
      [NFTA_RULE_TABLE, table],
      [NFTA_RULE_CHAIN, chain],
      [NFTA_RULE_HANDLE, handle],
    ],
    doing: `remove a rule from the chain ${chain} of the table ${table}`,
  }
}

/** A comment as `nft` and `iptables` read it: type, length, text with its NUL. */
function userData(comment: string): Buffer {
  const text = Buffer.from(`${comment}\0`)
  return Buffer.concat([Uint8Array.of(COMMENT, text.length), text])
}

/** The comment in what comes with a rule; `undefined` without one. */
export function commentIn(data: Buffer | undefined): string | undefined {
  if (data === undefined || data.length < 3 || data[0] !== COMMENT) return undefined
  return data.toString('utf8', 2, 2 + (data[1] ?? 0) - 1)
}

/** `struct nfgenmsg` */
export function header(family: Family | 'any'): Uint8Array {
  return Uint8Array.of(family === 'any' ? 0 : FAMILIES[family], 0, 0, 0)
}

/** The number of a message of the packet filter. */
export function messageType(message: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | message
}

/** Families by name; rules of others are not for packets that are forwarded. */
export const FAMILIES: Readonly<Record<Family, number>> = { inet: 1, ip: 2, ip6: 10 }

/** Places that packets pass. */
export const HOOKS = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const

const STAGES = {
  raw: { type: 'filter', priority: -300 },
  filter: { type: 'filter', priority: 0 },
  target: { type: 'nat', priority: -100 },
  source: { type: 'nat', priority: 100 },
} as const

const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH_BEGIN = 16
const NFNL_MSG_BATCH_END = 17
const NFT_MSG_NEWTABLE = 0
const NFT_MSG_DELTABLE = 2
const NFT_MSG_NEWCHAIN = 3
const NFT_MSG_NEWRULE = 6
const NFT_MSG_DELRULE = 8
const NFTA_TABLE_NAME = 1
const NFTA_TABLE_FLAGS = 2
const NFT_TABLE_F_OWNER = 2
const NFTA_CHAIN_TABLE = 1
const NFTA_CHAIN_NAME = 3
const NFTA_CHAIN_HOOK = 4
const NFTA_CHAIN_POLICY = 5
const NFTA_CHAIN_TYPE = 7
const NF_ACCEPT = 1
const NFTA_RULE_TABLE = 1
const NFTA_RULE_CHAIN = 2
const NFTA_RULE_HANDLE = 3
const NFTA_RULE_EXPRESSIONS = 4
const NFTA_RULE_USERDATA = 7
const NFTA_LIST_ELEM = 1
const NFTA_EXPR_NAME = 1
const NFTA_EXPR_DATA = 2
const COMMENT = 0
