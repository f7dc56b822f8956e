/**
 * Expressions: what a rule of the packet filter consists of. One loads something into a register, the next
 * compares it; a rule ends where a comparison fails.
 * Spec: nf_tables.h of the kernel
 */
import { Buffer } from 'node:buffer'
import { type Address, isVersion6, type Prefix } from '../links/address.ts'
import { type Attribute, be32, u32 } from '../netlink/attributes.ts'

/** A step of a rule: its name, and its attributes. */
export type Expression = readonly [name: string, attributes: readonly Attribute[]]

/** What a rule matches and does, in this order. */
export type Rule = readonly Expression[]

/** Packets that came in by a link, or by any whose name begins so (`veth*`). */
export function cameBy(name: string): Rule {
  return [load(META_IIFNAME), compare(EQUAL, linkName(name))]
}

/** Packets that go out by a link. */
export function goesBy(name: string): Rule {
  return [load(META_OIFNAME), compare(EQUAL, linkName(name))]
}

/** Packets that go out by others. */
export function goesByOther(name: string): Rule {
  return [load(META_OIFNAME), compare(NOT_EQUAL, linkName(name))]
}

/** Packets of one version of the internet protocol. */
export function ofVersion(version: 4 | 6): Rule {
  return [
    load(META_NFPROTO),
    compare(EQUAL, Uint8Array.of(version === 6 ? NFPROTO_IPV6 : NFPROTO_IPV4)),
  ]
}

/** Packets of a protocol above that. */
export function ofProtocol(protocol: keyof typeof PROTOCOLS): Rule {
  return [load(META_L4PROTO), compare(EQUAL, Uint8Array.of(PROTOCOLS[protocol]))]
}

/** Protocols by the numbers that their packets have. */
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const

/** Packets to a port, of a protocol that has ports. */
export function toPort(port: number): Rule {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(port)
  return [payload({ base: TRANSPORT, offset: 2, length: 2 }), compare(EQUAL, bytes)]
}

/** Packets to addresses. */
export function to(prefix: Prefix): Rule {
  return ofAddress(prefix, isVersion6(prefix.address) ? 24 : 16)
}

/** Packets from addresses. */
export function from(prefix: Prefix): Rule {
  return ofAddress(prefix, isVersion6(prefix.address) ? 8 : 12)
}

/** @param offset of the address in its header */
function ofAddress({ address, length }: Prefix, offset: number, operator: number = EQUAL): Rule {
  const size = address.length
  const bits = [...address].map((_, index) => Math.max(0, Math.min(8, length - index * 8)))
  const mask = Uint8Array.from(bits, (count) => 0xff00 >> count)
  const whole = length === size * 8
  return [
    ...ofVersion(size === 16 ? 6 : 4),
    payload({ base: NETWORK, offset, length: size }),
    ...(whole ? [] : [masked(mask)]),
    compare(
      operator,
      address.map((byte, index) => byte & (mask[index] ?? 0)),
    ),
  ]
}

/** Packets to other addresses of this version. */
export function toOther(prefix: Prefix): Rule {
  return ofAddress(prefix, isVersion6(prefix.address) ? 24 : 16, NOT_EQUAL)
}

/** Packets of connections that exist, and errors that belong to them. */
export function ofKnownConnection(): Rule {
  return [loadConnection(CT_STATE), masked(u32(ESTABLISHED | RELATED)), compare(NOT_EQUAL, ZERO)]
}

/** Packets of connections to an address that was translated. */
export function ofTranslatedTarget(): Rule {
  return [loadConnection(CT_STATUS), masked(u32(TARGET_TRANSLATED)), compare(NOT_EQUAL, ZERO)]
}

/** Packets whose answer would not leave by the link that they came by. */
export function forged(): Rule {
  return [route(FIB_OUTPUT_LINK, FROM_SOURCE | BY_INPUT_LINK), compare(EQUAL, ZERO)]
}

/** Packets for addresses that no single other machine has: those of this machine, and of several. */
export function toNoOther(): Rule {
  return [route(FIB_ADDRESS_TYPE, TO_TARGET), compare(NOT_EQUAL, u32(RTN_UNICAST))]
}

/** Packets for an address of this machine. */
export function toThis(): Rule {
  return [route(FIB_ADDRESS_TYPE, TO_TARGET), compare(EQUAL, u32(RTN_LOCAL))]
}

/** Sends packets to another address, and another port if there is one. */
export function sendTo(address: Address, port?: number): Rule {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(port ?? 0)
  const attributes: readonly Attribute[] = [
    [NAT_TYPE, be32(NAT_TARGET)],
    [NAT_FAMILY, be32(isVersion6(address) ? NFPROTO_IPV6 : NFPROTO_IPV4)],
    [NAT_ADDRESS, be32(REGISTER)],
    ...(port === undefined ? [] : [[NAT_PORT, be32(SECOND_REGISTER)] as const]),
  ]
  return [
    constant(REGISTER, address),
    ...(port === undefined ? [] : [constant(SECOND_REGISTER, bytes)]),
    ['nat', attributes],
  ]
}

/** Lets a packet pass this chain. */
export function accept(): Rule {
  return verdict(1)
}

/** Drops a packet without a word. */
export function drop(): Rule {
  return verdict(0)
}

/**
 * Rules that drop matching packets, and say so to their sender. A connection is reset: another message comes while
 * the sender's kernel is busy with the connection, which then tries again for a second.
 */
export function refuse(match: Rule): readonly Rule[] {
  return [
    [...match, ...ofProtocol('tcp'), ['reject', [[1, be32(REJECT_BY_RESET)]]]],
    [
      ...match,
      [
        'reject',
        [
          [1, be32(REJECT_BOTH_VERSIONS)],
          [2, Uint8Array.of(ADMINISTRATIVELY_PROHIBITED)],
        ],
      ],
    ],
  ]
}

/** Lets packets look as if they came from the link by which they leave. */
export function masquerade(): Rule {
  return [['masq', []]]
}

function load(key: number): Expression {
  return [
    'meta',
    [
      [1, be32(REGISTER)],
      [2, be32(key)],
    ],
  ]
}

function loadConnection(key: number): Expression {
  return [
    'ct',
    [
      [1, be32(REGISTER)],
      [2, be32(key)],
    ],
  ]
}

function payload(part: { base: number; offset: number; length: number }): Expression {
  const { base, offset, length } = part
  return [
    'payload',
    [
      [1, be32(REGISTER)],
      [2, be32(base)],
      [3, be32(offset)],
      [4, be32(length)],
    ],
  ]
}

function route(result: number, flags: number): Expression {
  return [
    'fib',
    [
      [1, be32(REGISTER)],
      [2, be32(result)],
      [3, be32(flags)],
    ],
  ]
}

function masked(mask: Uint8Array): Expression {
  const zero = new Uint8Array(mask.length)
  return [
    'bitwise',
    [
      [1, be32(REGISTER)],
      [2, be32(REGISTER)],
      [3, be32(mask.length)],
      [4, [[DATA_VALUE, mask]]],
      [5, [[DATA_VALUE, zero]]],
    ],
  ]
}

function compare(operator: number, value: Uint8Array): Expression {
  return [
    'cmp',
    [
      [1, be32(REGISTER)],
      [2, be32(operator)],
      [3, [[DATA_VALUE, value]]],
    ],
  ]
}

function constant(register: number, value: Uint8Array): Expression {
  return [
    'immediate',
    [
      [1, be32(register)],
      [2, [[DATA_VALUE, value]]],
    ],
  ]
}

function verdict(code: number): Rule {
  return [
    [
      'immediate',
      [
        [1, be32(VERDICT_REGISTER)],
        [2, [[DATA_VERDICT, [[1, be32(code)]]]]],
      ],
    ],
  ]
}

/** A whole name is compared with all that a name can have, so with the zeros that follow. */
function linkName(name: string): Buffer {
  if (name.endsWith('*')) return Buffer.from(name.slice(0, -1))
  const bytes = Buffer.alloc(16)
  bytes.write(name)
  return bytes
}

const REGISTER = 1
const SECOND_REGISTER = 2
const VERDICT_REGISTER = 0
const DATA_VALUE = 1
const DATA_VERDICT = 2
const EQUAL = 0
const NOT_EQUAL = 1
const ZERO = new Uint8Array(4)
const META_IIFNAME = 6
const META_OIFNAME = 7
const META_NFPROTO = 15
const META_L4PROTO = 16
const NFPROTO_IPV4 = 2
const NFPROTO_IPV6 = 10
const NETWORK = 1
const TRANSPORT = 2
const CT_STATE = 0
const CT_STATUS = 2
const ESTABLISHED = 2
const RELATED = 4
const TARGET_TRANSLATED = 1 << 5
const FIB_OUTPUT_LINK = 1
const FIB_ADDRESS_TYPE = 3
const FROM_SOURCE = 1
const TO_TARGET = 2
const BY_INPUT_LINK = 8
const RTN_UNICAST = 1
const RTN_LOCAL = 2
const NAT_TYPE = 1
const NAT_FAMILY = 2
const NAT_ADDRESS = 3
const NAT_PORT = 5
const NAT_TARGET = 1
const REJECT_BY_RESET = 1
const REJECT_BOTH_VERSIONS = 2
const ADMINISTRATIVELY_PROHIBITED = 3
