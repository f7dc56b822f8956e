/**
 * Requests for links.
 * Spec: rtnetlink(7); if_link.h of the kernel
 */
import { Buffer } from 'node:buffer'
import { type Attribute, encodeAttributes, u32 } from '../netlink/attributes.ts'
import { type NetlinkRequest, NLM_F } from '../netlink/netlink-socket.ts'

/** The index of loopback in every network namespace. */
export const LOOPBACK_INDEX = 1

/** One end of a pair of links. */
export interface LinkEnd {
  readonly name: string
  /** Chosen by the caller, so that requests can name the link before it exists. */
  readonly index: number
}

/** Two links, of which one is in another namespace. */
export interface LinkPair {
  readonly here: LinkEnd
  readonly there: LinkEnd & { readonly namespace: number }
  readonly mtu: number
}

/**
 * Adds two links; what goes into one comes out of the other. Both have the same hardware address and resolve
 * none: whatever is sent is for the other end. So no address can be claimed, and nothing need be asked first.
 */
export function addLinkPair({ here, there, mtu }: LinkPair): NetlinkRequest {
  const peer = [...endAttributes(there, mtu), [IFLA_NET_NS_FD, u32(there.namespace)]] as const
  const peerInfo = Buffer.concat([linkHeader(there.index, IFF_NOARP), encodeAttributes(peer)])
  const linkInfo: readonly Attribute[] = [
    [IFLA_INFO_KIND, 'veth'],
    [IFLA_INFO_DATA, [[VETH_INFO_PEER, peerInfo]]],
  ]
  return {
    type: RTM_NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: linkHeader(here.index, IFF_NOARP),
    attributes: [...endAttributes(here, mtu), [IFLA_LINKINFO, linkInfo]],
    doing: `add the link ${here.name}`,
  }
}

/** A switch of a network: what is for an address goes to the link where it was seen. */
export function addBridge({ index, name }: LinkEnd, mtu: number): NetlinkRequest {
  const linkInfo: readonly Attribute[] = [
    [IFLA_INFO_KIND, 'bridge'],
    [IFLA_INFO_DATA, [[IFLA_BR_FORWARD_DELAY, u32(0)]]],
  ]
  return {
    type: RTM_NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: linkHeader(index, 0),
    attributes: [
      [IFLA_IFNAME, name],
      [IFLA_MTU, u32(mtu)],
      [IFLA_LINKINFO, linkInfo],
    ],
    doing: `add the bridge ${name}`,
  }
}

/** A pair of which one end belongs to a bridge, and the other has a hardware address of its own. */
export interface PortPair {
  /** The end at the bridge. */
  readonly port: LinkEnd
  readonly bridge: number
  /** Whether it reaches the other ports of the bridge. */
  readonly peers: 'reached' | 'isolated'
  /** The other end. */
  readonly end: LinkEnd & { readonly namespace: number; readonly hardwareAddress: Uint8Array }
  readonly mtu: number
}

/** Joins a namespace to a bridge. Neither end is switched on. */
export function addPort(pair: PortPair): readonly NetlinkRequest[] {
  const { port, bridge, peers, end, mtu } = pair
  const common = [
    [IFLA_MTU, u32(mtu)],
    [IFLA_NUM_TX_QUEUES, u32(1)],
    [IFLA_NUM_RX_QUEUES, u32(1)],
  ] as const
  const peer: readonly Attribute[] = [
    [IFLA_IFNAME, end.name],
    [IFLA_ADDRESS, end.hardwareAddress],
    ...common,
    [IFLA_NET_NS_FD, u32(end.namespace)],
  ]
  const peerInfo = Buffer.concat([linkHeader(end.index, 0), encodeAttributes(peer)])
  const linkInfo: readonly Attribute[] = [
    [IFLA_INFO_KIND, 'veth'],
    [IFLA_INFO_DATA, [[VETH_INFO_PEER, peerInfo]]],
  ]
  const added: NetlinkRequest = {
    type: RTM_NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    header: linkHeader(port.index, 0),
    attributes: [[IFLA_IFNAME, port.name], ...common, [IFLA_LINKINFO, linkInfo]],
    doing: `add the link ${end.name}`,
  }
  return [
    added,
    joinBridge(port.index, bridge),
    ...(peers === 'isolated' ? [isolate(port.index)] : []),
  ]
}

function joinBridge(index: number, bridge: number): NetlinkRequest {
  return {
    type: RTM_NEWLINK,
    header: linkHeader(index, 0),
    attributes: [[IFLA_MASTER, u32(bridge)]],
    doing: `join link ${index} to the bridge ${bridge}`,
  }
}

/** Keeps a port from all others of its bridge that are kept so. */
function isolate(index: number): NetlinkRequest {
  const info: readonly Attribute[] = [
    [IFLA_INFO_SLAVE_KIND, 'bridge'],
    [IFLA_INFO_SLAVE_DATA, [[IFLA_BRPORT_ISOLATED, Uint8Array.of(1)]]],
  ]
  return {
    type: RTM_NEWLINK,
    header: linkHeader(index, 0),
    attributes: [[IFLA_LINKINFO, info]],
    doing: `isolate link ${index}`,
  }
}

/** Removes a link, and what it is a pair with. */
export function deleteLink(index: number): NetlinkRequest {
  const header = linkHeader(index, 0)
  return { type: RTM_DELLINK, header, doing: `remove link ${index}` }
}

/**
 * Removes links as one: the kernel waits once for all packets that are on their way, whereas it does so for each link that
 * is removed by itself.
 */
export function deleteLinks(indices: readonly number[]): readonly NetlinkRequest[] {
  const group: Attribute = [IFLA_GROUP, u32(REMOVED)]
  const marked = indices.map((index) => ({
    type: RTM_NEWLINK,
    header: linkHeader(index, 0),
    attributes: [group],
    doing: `remove link ${index}`,
  }))
  const header = linkHeader(0, 0)
  return [...marked, { type: RTM_DELLINK, header, attributes: [group], doing: 'remove links' }]
}

function endAttributes({ name }: LinkEnd, mtu: number): readonly Attribute[] {
  return [
    [IFLA_IFNAME, name],
    [IFLA_ADDRESS, HARDWARE_ADDRESS],
    [IFLA_MTU, u32(mtu)],
    // A kernel gives each link as many queues as it has processors.
    [IFLA_NUM_TX_QUEUES, u32(1)],
    [IFLA_NUM_RX_QUEUES, u32(1)],
  ]
}

/** Switches a link on. */
export function raiseLink(index: number): NetlinkRequest {
  const header = linkHeader(index, IFF_UP)
  return { type: RTM_NEWLINK, header, doing: `switch link ${index} on` }
}

/** Keeps a link from getting addresses (fe80::…) by itself. Before it is switched on. */
export function withoutLinkLocal(index: number): NetlinkRequest {
  const ofVersion6: readonly Attribute[] = [[IFLA_INET6_ADDR_GEN_MODE, GENERATE_NONE]]
  return {
    type: RTM_NEWLINK,
    header: linkHeader(index, 0),
    attributes: [[IFLA_AF_SPEC, [[AF_INET6, ofVersion6]]]],
    doing: `keep link ${index} without addresses of its own`,
  }
}

/** `struct ifinfomsg`: the flags that are set are also those that change. */
function linkHeader(index: number, flags: number): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(index, 4)
  header.writeUInt32LE(flags, 8)
  header.writeUInt32LE(flags, 12)
  return header
}

/** Administered locally, and the same for all: each is on a wire with one other. */
const HARDWARE_ADDRESS = Uint8Array.of(0x02, 0, 0, 0, 0, 0x01)

/** The group of links that are about to be removed. */
const REMOVED = 0x7462

const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const IFF_UP = 0x1
const IFF_NOARP = 0x80
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_AF_SPEC = 26
const IFLA_GROUP = 27
const IFLA_NET_NS_FD = 28
const IFLA_NUM_TX_QUEUES = 31
const IFLA_NUM_RX_QUEUES = 32
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_INFO_SLAVE_KIND = 4
const IFLA_INFO_SLAVE_DATA = 5
const IFLA_BR_FORWARD_DELAY = 1
const IFLA_BRPORT_ISOLATED = 33
const VETH_INFO_PEER = 1
const IFLA_INET6_ADDR_GEN_MODE = 8
const GENERATE_NONE = Uint8Array.of(1)
const AF_INET6 = 10
