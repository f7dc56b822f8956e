/**
 * What links and routes a network namespace has.
 * Spec: rtnetlink(7)
 */
import { Buffer } from 'node:buffer'
import { decodeAttributes, textOf } from '../netlink/attributes.ts'
import type { NetlinkSocket } from '../netlink/netlink-socket.ts'
import type { Prefix } from './address.ts'

/** A link, as far as it matters which way out of the machine it is. */
export interface Link {
  readonly index: number
  readonly name: string
  /** `bridge`, `veth`, …; empty for hardware. */
  readonly kind: string
  readonly mtu: number
  readonly isUp: boolean
  readonly isLoopback: boolean
}

/** Where packets for some addresses go. */
export interface Route {
  readonly to: Prefix
  /** Indices of the links; several where they are taken by turns, none where it leads nowhere. */
  readonly links: readonly number[]
  /** Whether it leads to other machines: not to this one's addresses, and not nowhere. */
  readonly leadsOut: boolean
  /** Whether it is an address of this machine, loopback included. */
  readonly isLocal: boolean
}

/** All links. */
export function readLinks(socket: NetlinkSocket): readonly Link[] {
  const header = Buffer.alloc(16)
  return socket.dump({ type: RTM_GETLINK, header, doing: 'list the links' }).map(({ payload }) => {
    const attributes = decodeAttributes(payload.subarray(16))
    const flags = payload.readUInt32LE(8)
    const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0))
    return {
      index: payload.readInt32LE(4),
      name: textOf(attributes.get(IFLA_IFNAME)),
      kind: textOf(info.get(IFLA_INFO_KIND)),
      mtu: attributes.get(IFLA_MTU)?.readUInt32LE() ?? 0,
      isUp: (flags & IFF_UP) !== 0,
      isLoopback: (flags & IFF_LOOPBACK) !== 0,
    }
  })
}

/** The routes of all tables, of both versions. */
export function readRoutes(socket: NetlinkSocket): readonly Route[] {
  return [AF_INET, AF_INET6].flatMap((family) => {
    const header = Buffer.alloc(12)
    header.writeUInt8(family)
    const request = { type: RTM_GETROUTE, header, doing: 'list the routes' }
    return socket.dump(request).map(({ payload }) => routeOf(payload, family))
  })
}

function routeOf(payload: Buffer, family: number): Route {
  const attributes = decodeAttributes(payload.subarray(12))
  const empty = Buffer.alloc(family === AF_INET6 ? 16 : 4)
  const link = attributes.get(RTA_OIF)
  const several = attributes.get(RTA_MULTIPATH)
  return {
    to: { address: attributes.get(RTA_DST) ?? empty, length: payload.readUInt8(1) },
    links:
      several === undefined
        ? link === undefined
          ? []
          : [link.readUInt32LE()]
        : [...linksOf(several)],
    leadsOut: payload.readUInt8(7) === RTN_UNICAST,
    isLocal: payload.readUInt8(7) === RTN_LOCAL,
  }
}

/** Of `struct rtnexthop`, each with its length, and the index of its link at 4. */
function* linksOf(hops: Buffer): Generator<number, void> {
  for (let offset = 0; offset + 8 <= hops.length; ) {
    yield hops.readInt32LE(offset + 4)
    offset += Math.max(8, hops.readUInt16LE(offset))
  }
}

const RTM_GETLINK = 18
const RTM_GETROUTE = 26
const IFF_UP = 0x1
const IFF_LOOPBACK = 0x8
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINKINFO = 18
const IFLA_INFO_KIND = 1
const RTA_DST = 1
const RTA_OIF = 4
const RTA_MULTIPATH = 9
const RTN_UNICAST = 1
const RTN_LOCAL = 2
const AF_INET = 2
const AF_INET6 = 10
