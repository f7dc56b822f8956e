export { withFormerFields } from './endpoints/endpoint-settings.ts'
export { Networks } from './networks.ts'
export type { NetworkRecord } from './records/network-record.ts'
