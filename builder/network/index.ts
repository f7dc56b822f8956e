export { Hub } from './hub/hub.ts'
export type { NetworkSource, ResolverPlace, StepNetwork } from './network.ts'
