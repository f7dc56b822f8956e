export { Hub } from './hub/hub.ts'
export { HubNetworks, type MakeNetwork } from './hub/hub-networks.ts'
export type { Router } from './hub/router.ts'
export type { NetworkSource, StepNetwork } from './network.ts'
export { FollowedResolvConf, parseResolvConf } from './resolver/resolv-conf.ts'
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
