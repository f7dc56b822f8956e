/** Networks of containers: bridges in a router's namespace, and the ports by which places are joined to them. */
import { errnoOf } from '#core'
import { INNER_NETWORKS, NETWORKS } from '../hub/hub-rules.ts'
import { hasVersion6, type Router, raise } from '../hub/router.ts'
import { type Address, isVersion6, type Prefix } from '../links/address.ts'
import { addAddressOf } from '../links/address-requests.ts'
import {
  addBridge,
  addPort,
  deleteLink,
  deleteLinks,
  raiseLink,
  withoutLinkLocal,
} from '../links/link-requests.ts'
import { type NetlinkRequest, NetlinkSocket } from '../netlink/netlink-socket.ts'

/** A network as its bridge is made. Data: it can be posted to a thread. */
export interface BridgeInput {
  /** From 0; no other bridge of the router has it. */
  readonly number: number
  /** Where its containers get to besides each other. */
  readonly reach: 'world' | 'nowhere'
  readonly mtu: number
  /** Its own address in each of the network's prefixes, by which containers leave; none where there is no way. */
  readonly gateways: readonly Prefix[]
}

/** A place in a network. Data, too. */
export interface PortInput {
  /** From 0; no other port of the router has it. */
  readonly number: number
  /** Of the bridge. */
  readonly bridge: number
  /** Whether it reaches the others of its network. */
  readonly peers: 'reached' | 'isolated'
  readonly mtu: number
  /** Descriptor of the network of the place. */
  readonly namespace: number
  /** The link in there. */
  readonly link: { readonly name: string; readonly index: number }
  readonly hardwareAddress: Uint8Array
  /** Its addresses with the lengths of their networks. */
  readonly addresses: readonly Prefix[]
}

/** Adds a network without containers. @throws {SystemError} */
export function openBridge({ links }: Router, input: BridgeInput): void {
  const { number, reach, mtu, gateways } = input
  const index = BRIDGES + number
  const name = `${reach === 'world' ? NETWORKS : INNER_NETWORKS}${number}`
  links.request(
    addBridge({ name, index }, mtu),
    ...raise(index),
    ...gateways.map((gateway) => addAddressOf(index, gateway)),
    // Neighbours of version 6 are asked for from such an address only.
    ...(needsLinkLocal(gateways) ? [addAddressOf(index, LINK_LOCAL_GATEWAY)] : []),
  )
}

/** Removes a network; its ports have gone before. */
export function closeBridge({ links }: Router, number: number): void {
  links.request(deleteLink(BRIDGES + number))
}

/** Joins a place to a network. @throws {SystemError} nothing is left then */
export function joinBridge(router: Router, input: PortInput): void {
  const { bridge, peers, mtu, namespace, link, hardwareAddress, addresses } = input
  const port = PORTS + input.number
  const pair = {
    port: { name: `port${input.number}`, index: port },
    bridge: BRIDGES + bridge,
    end: { ...link, namespace, hardwareAddress },
    ...{ peers, mtu },
  }
  router.links.request(...addPort(pair), ...raise(port))
  try {
    router.inNetwork(namespace, () => {
      using links = new NetlinkSocket('route')
      const local = linkLocalOf(hardwareAddress)
      links.request(
        ...bare(link.index),
        ...addresses.map((address) => addAddressOf(link.index, address)),
        ...(needsLinkLocal(addresses) ? [addAddressOf(link.index, local)] : []),
        raiseLink(link.index),
      )
    })
  } catch (cause) {
    router.links.request(deleteLink(port))
    throw cause
  }
}

/** Takes places out of their networks: their links are gone afterwards. A container may have removed its own. */
export function leaveBridges({ links }: Router, numbers: readonly number[]): void {
  try {
    links.request(...deleteLinks(numbers.map((number) => PORTS + number)))
  } catch (cause) {
    if (errnoOf(cause) !== 'ENODEV') throw cause
  }
}

function bare(index: number): readonly NetlinkRequest[] {
  return hasVersion6() ? [withoutLinkLocal(index)] : []
}

function needsLinkLocal(addresses: readonly Prefix[]): boolean {
  return addresses.some(({ address }) => isVersion6(address))
}

/** As a link chooses it by itself, without the second in which it asks whether another has it. Spec: RFC 4291 appendix A */
function linkLocalOf([first = 0, ...rest]: Uint8Array): Prefix {
  const [second = 0, third = 0, ...last] = rest
  const suffix = [first ^ 2, second, third, 0xff, 0xfe, ...last]
  return { address: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...suffix), length: 64 }
}

const LINK_LOCAL_GATEWAY: Prefix = {
  address: Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 1) satisfies Address,
  length: 64,
}

/** In the router, indices of bridges and their ports, which follow those of the links to steps. */
const BRIDGES = 0x1_0000
const PORTS = 0x10_0000
