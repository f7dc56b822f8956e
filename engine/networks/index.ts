export { withFormerFields } from './endpoints/endpoint-settings.ts'
export { Networks } from './networks.ts'
/** @internal */
export type { NetworkRecord } from './records/network-record.ts'
