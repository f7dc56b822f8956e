export type { ContainerNetwork } from './container-network.ts'
export { withFormerFields } from './endpoints/endpoint-settings.ts'
export type { NetworkRecord } from './network-record.ts'
export { type Endpoints, Networks, type NetworksOptions } from './networks.ts'
