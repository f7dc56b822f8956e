/**
 * Requests for addresses and routes.
 * Spec: rtnetlink(7); if_addr.h and rtnetlink.h of the kernel
 */
import { Buffer } from 'node:buffer'
import { type Attribute, u32 } from '../netlink/attributes.ts'
import { type NetlinkRequest, NLM_F } from '../netlink/netlink-socket.ts'
import {
  type Address,
  addressAt,
  addressText,
  hostPrefix,
  isVersion6,
  type Prefix,
  prefixText,
  wholePrefix,
} from './address.ts'

/** Gives a link an address, without a network that belongs to it. */
export function addAddress(index: number, address: Address): NetlinkRequest {
  return addAddressOf(index, hostPrefix(address))
}

/** Gives a link an address of a network, to which the link leads then. */
export function addAddressOf(index: number, { address, length }: Prefix): NetlinkRequest {
  const header = Buffer.alloc(8)
  header.writeUInt8(familyOf(address), 0)
  header.writeUInt8(length, 1)
  // Nothing else can have it, so it is not asked for first.
  header.writeUInt8(isVersion6(address) ? IFA_F_NODAD : 0, 2)
  header.writeUInt32LE(index, 4)
  return {
    type: RTM_NEWADDR,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header,
    attributes: [[IFA_LOCAL, address], [IFA_ADDRESS, address], ...broadcastOf({ address, length })],
    doing: `add the address ${addressText(address)}`,
  }
}

/** The same, for an address by which this machine answers and never begins: it is nobody's source. */
export function addOtherAddress(index: number, address: Address): NetlinkRequest {
  const request = addAddress(index, address)
  request.header.set([RT_SCOPE_HOST], 3)
  return request
}

/** Takes an address away from a link. */
export function deleteAddress(index: number, address: Address): NetlinkRequest {
  const { header, attributes = [] } = addAddress(index, address)
  const doing = `remove the address ${addressText(address)}`
  return { type: RTM_DELADDR, header, attributes, doing }
}

/** Sends what is for one address to a link. */
export function addHostRoute(index: number, address: Address): NetlinkRequest {
  const scope = isVersion6(address) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: routeHeader({ family: familyOf(address), bits: address.length * 8, scope, flags: 0 }),
    attributes: [
      [RTA_DST, address],
      [RTA_OIF, u32(index)],
    ],
    doing: `add the route to ${addressText(address)}`,
  }
}

/** What is for all of a network of version 4, where it has room for that. */
function broadcastOf({ address, length }: Prefix): readonly Attribute[] {
  if (isVersion6(address) || length > LONGEST_WITH_BROADCAST) return []
  const { address: first } = wholePrefix({ address, length })
  return [[IFA_BROADCAST, addressAt(first, 2 ** (32 - length) - 1)]]
}

const LONGEST_WITH_BROADCAST = 30

/**
 * Sends what is for a network to a link.
 * @param source what this machine is called there
 */
export function addNetworkRoute(index: number, to: Prefix, source: Address): NetlinkRequest {
  const { address, length } = wholePrefix(to)
  const scope = isVersion6(address) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: routeHeader({ family: familyOf(address), bits: length, scope, flags: 0 }),
    attributes: [
      [RTA_DST, address],
      [RTA_OIF, u32(index)],
      [RTA_PREFSRC, source],
    ],
    doing: `add the route to ${prefixText(to)}`,
  }
}

/** Takes the route to a network away from a link. */
export function deleteNetworkRoute(index: number, to: Prefix): NetlinkRequest {
  const { address, length } = wholePrefix(to)
  return {
    type: RTM_DELROUTE,
    header: anyRouteHeader(address, length),
    attributes: [
      [RTA_DST, address],
      [RTA_OIF, u32(index)],
    ],
    doing: `remove the route to ${prefixText(to)}`,
  }
}

/** The default route over a gateway that is found on its network. */
export function addGatewayRoute(index: number, gateway: Address): NetlinkRequest {
  const [family, scope] = [familyOf(gateway), RT_SCOPE_UNIVERSE]
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    header: routeHeader({ family, bits: 0, scope, flags: 0 }),
    attributes: [
      [RTA_GATEWAY, gateway],
      [RTA_OIF, u32(index)],
    ],
    doing: `add the default route over ${addressText(gateway)}`,
  }
}

/** Takes the default route over a gateway away. */
export function deleteGatewayRoute(index: number, gateway: Address): NetlinkRequest {
  return {
    type: RTM_DELROUTE,
    header: anyRouteHeader(gateway, 0),
    attributes: [
      [RTA_GATEWAY, gateway],
      [RTA_OIF, u32(index)],
    ],
    doing: `remove the default route over ${addressText(gateway)}`,
  }
}

/** Sends to a link what is for addresses that no other route has. @param gateway what the other end is called */
export function addDefaultRoute(index: number, gateway: Address): NetlinkRequest {
  const [family, scope, flags] = [familyOf(gateway), RT_SCOPE_UNIVERSE, RTNH_F_ONLINK]
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: routeHeader({ family, bits: 0, scope, flags }),
    attributes: [
      [RTA_GATEWAY, gateway],
      [RTA_OIF, u32(index)],
    ],
    doing: `add the default route over ${addressText(gateway)}`,
  }
}

interface RouteHeader {
  readonly family: number
  readonly bits: number
  readonly scope: number
  readonly flags: number
}

/** `struct rtmsg` */
function routeHeader({ family, bits, scope, flags }: RouteHeader): Buffer {
  const header = Buffer.alloc(12)
  header.set([family, bits, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST])
  header.writeUInt32LE(flags, 8)
  return header
}

/** Of a route to remove: neither how it came into being, nor its scope or kind is asked for. */
function anyRouteHeader(to: Address, bits: number): Buffer {
  const header = routeHeader({ family: familyOf(to), bits, scope: RT_SCOPE_NOWHERE, flags: 0 })
  header.writeUInt8(0, RTM_PROTOCOL)
  header.writeUInt8(0, RTM_TYPE)
  return header
}

/** The number by which the kernel knows the version of an address. */
function familyOf(address: Address): number {
  return isVersion6(address) ? AF_INET6 : AF_INET
}

const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_BROADCAST = 4
const IFA_F_NODAD = 0x02
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PREFSRC = 7
/** The gateway is at the other end, whatever its address. */
const RTNH_F_ONLINK = 4
/** Places of fields of `struct rtmsg`. */
const RTM_PROTOCOL = 5
const RTM_TYPE = 7
const RT_TABLE_MAIN = 254
const RTPROT_STATIC = 4
const RTN_UNICAST = 1
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RT_SCOPE_HOST = 254
const RT_SCOPE_NOWHERE = 255
const AF_INET = 2
const AF_INET6 = 10
