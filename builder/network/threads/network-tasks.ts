/**
 * The tasks of the thread that has the hub of containers. Descriptors in their results belong to the receiver; a
 * socket stays in the network that it was made in, whichever thread uses it.
 */
import { bindInternetSocket, connectInternetSocket } from '#builder/linux'
import {
  type BridgeInput,
  closeBridge as closeRouterBridge,
  joinBridge as joinRouterBridge,
  leaveBridges as leaveRouterBridges,
  openBridge as openRouterBridge,
  type PortInput,
} from '../bridges/bridges.ts'
import {
  admitNetwork,
  closePorts as closeHostPorts,
  dismissNetwork,
  type HostNetwork,
  openPorts as openHostPorts,
  type PortRule,
} from '../bridges/host-networks.ts'
import {
  bindNames as bindPlaceNames,
  changeRoutes as changePlaceRoutes,
  makePlace as makeRouterPlace,
  type RouteChange,
} from '../bridges/places.ts'
import type { Target } from '../ports/dial.ts'
import type { ResolverSockets } from '../resolver/resolver-sockets.ts'
import type { UplinkPlace, UplinkPlan } from '../uplink/uplink-router.ts'
import {
  openThreadHub,
  openThreadRouter,
  refreshThreadHub,
  threadHost,
  threadRouter,
} from './network-state.ts'

/** What a hub or router is like for its containers. Data. */
export interface NetworkFacts {
  /** Bytes of the largest packet. */
  readonly mtu: number
}

/** Opens the hub. @throws {SystemError} of what this process may not do */
export function openHub(): NetworkFacts {
  return { mtu: openThreadHub().host.plan.outlets.mtu }
}

/** Makes the router that takes its place, for a program to connect. @throws {SystemError} */
export function openRouter(plan: UplinkPlan): UplinkPlace {
  return openThreadRouter(plan)
}

/** Looks at the host again. */
export function refresh(): void {
  refreshThreadHub()
}

/** A network of containers, for the hub and for its host. */
export interface NetworkInput {
  readonly bridge: BridgeInput
  readonly host: HostNetwork
}

/** Makes a network of containers; if this fails, nothing of it is left. */
export function openBridge({ bridge, host }: NetworkInput): void {
  const hubHost = threadHost()
  openRouterBridge(threadRouter(), bridge)
  try {
    if (hubHost !== undefined) admitNetwork(hubHost, host)
  } catch (cause) {
    closeRouterBridge(threadRouter(), bridge.number)
    throw cause
  }
}

/** Removes it. */
export function closeBridge({ bridge, host }: NetworkInput): void {
  const hubHost = threadHost()
  if (hubHost !== undefined) dismissNetwork(hubHost, host)
  closeRouterBridge(threadRouter(), bridge.number)
}

/** Makes the network of a container. */
export function makePlace(): number {
  return makeRouterPlace(threadRouter())
}

/** Joins it to a network of several. */
export function joinBridge(input: PortInput): void {
  joinRouterBridge(threadRouter(), input)
}

/** Takes it out of networks, by the numbers of its ports. */
export function leaveBridges(numbers: readonly number[]): void {
  leaveRouterBridges(threadRouter(), numbers)
}

/** Changes by which network a container reaches the world. */
export function changeRoutes(change: RouteChange): void {
  changePlaceRoutes(threadRouter(), change)
}

/** Makes the sockets at which a container asks for names. @param namespace descriptor of its network */
export function bindNames(namespace: number): ResolverSockets {
  return bindPlaceNames(threadRouter(), namespace)
}

/** Ports of one container. */
export interface PortsInput {
  readonly key: string
  readonly ports: readonly PortRule[]
}

/** Lets the host send packets for these ports to a container, where there is a hub. */
export function openPorts({ key, ports }: PortsInput): void {
  const host = threadHost()
  if (host !== undefined) openHostPorts(host, key, ports)
}

/** Takes that back. */
export function closePorts({ key, ports }: PortsInput): void {
  const host = threadHost()
  if (host !== undefined) closeHostPorts(host, key, ports)
}

/** Begins a connection to a container, from the gateway of its network. */
export function connectTo({ address, port }: Target): number {
  const router = threadRouter()
  return router.inNetwork(router.resolver.namespace, () => connectInternetSocket(address, port))
}

/** Makes a UDP socket there. */
export function bindUdp(address: string): number {
  const router = threadRouter()
  return router.inNetwork(router.resolver.namespace, () => bindInternetSocket('udp', address, 0))
}
