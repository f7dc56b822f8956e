/**
 * What the kernel remembers of connections whose packets it sends elsewhere.
 * Spec: nfnetlink_conntrack.h of the kernel
 */
import { SystemError } from '#builder/linux'
import { type Address, isVersion6 } from '../links/address.ts'
import { u32 } from '../netlink/attributes.ts'
import type { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { header } from './rule-requests.ts'

/**
 * Forgets where datagrams went that an address answers. They have no end, so that a client which goes on sending
 * would be sent there by what is remembered, whatever rules say by then. A kernel before 6.9 forgets by itself, two
 * minutes after the last packet.
 */
export function forgetDatagrams(socket: NetlinkSocket, address: Address): void {
  const version6 = isVersion6(address)
  const answer = [
    [CTA_TUPLE_IP, [[version6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, address]]],
    [CTA_TUPLE_PROTO, [[CTA_PROTO_NUM, Uint8Array.of(UDP)]]],
  ] as const
  const wanted = u32(FILTER_SOURCE | FILTER_PROTOCOL)
  try {
    socket.request({
      type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
      header: header(version6 ? 'ip6' : 'ip'),
      attributes: [
        [CTA_TUPLE_REPLY, answer],
        [CTA_FILTER, [[CTA_FILTER_REPLY_FLAGS, wanted]]],
      ],
      doing: 'forget datagrams',
    })
  } catch (cause) {
    if (!(cause instanceof SystemError)) throw cause
  }
}

const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_DELETE = 2
const CTA_TUPLE_REPLY = 2
const CTA_FILTER = 25
const CTA_FILTER_REPLY_FLAGS = 2
const FILTER_SOURCE = 1
const FILTER_PROTOCOL = 8
const CTA_TUPLE_IP = 1
const CTA_TUPLE_PROTO = 2
const CTA_IP_V4_SRC = 1
const CTA_IP_V6_SRC = 3
const CTA_PROTO_NUM = 1
const UDP = 17
