export { Hub } from './hub/hub.ts'
export { HubNetworks } from './hub/hub-networks.ts'
export type { NetworkSource, ResolverPlace, StepNetwork } from './network.ts'
