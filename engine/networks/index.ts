export type { ContainerNetwork } from './container-network.ts'
export { withFormerFields } from './endpoints/endpoint-settings.ts'
export { type Endpoints, Networks, type NetworksOptions } from './networks.ts'
export type { NetworkRecord } from './records/network-record.ts'
