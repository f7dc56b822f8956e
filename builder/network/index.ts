export type { BridgeNetwork } from './containers/bridge-network.ts'
export { ContainerNetworks } from './containers/container-networks.ts'
export type { ContainerPlace, PublishedPorts } from './containers/container-place.ts'
export { hostPrefixes } from './containers/host-prefixes.ts'
export type {
  /** @internal */
  EndpointSpec,
  NetworkSpec,
} from './containers/network-spec.ts'
export { Hub } from './hub/hub.ts'
export { HubNetworks, type MakeNetwork } from './hub/hub-networks.ts'
export type { Router } from './hub/router.ts'
export {
  type Address,
  addressText,
  isVersion6,
  isWithin,
  overlap,
  type Prefix,
  parseAddress,
  parsePrefix,
  parsePrefixes,
  prefixText,
  wholePrefix,
} from './links/address.ts'
export type { NetworkSource, StepNetwork } from './network.ts'
export type {
  PortBinding,
  PortProtocol,
  /** @internal */
  PortTarget,
  PublishedPort,
} from './ports/port-binding.ts'
export { readHostResolvConf } from './resolver/host-resolv-conf.ts'
export { FollowedResolvConf, parseResolvConf, type ResolvConf } from './resolver/resolv-conf.ts'
export { Resolver } from './resolver/resolver.ts'
export {
  /** @internal */
  bindResolver,
  type ResolverSockets,
} from './resolver/resolver-sockets.ts'
export { missingUplinkError, openUplink } from './uplink/uplink.ts'
export {
  makeUplinkRouter,
  planUplink,
  type UplinkPlace,
  type UplinkPlan,
} from './uplink/uplink-router.ts'
