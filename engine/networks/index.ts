export { withFormerFields } from './endpoints/endpoint-settings.ts'
/** @internal */
export type { NetworkRecord } from './records/network-record.ts'
export { Networks } from './networks.ts'
