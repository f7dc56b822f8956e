export type { NetworkSource, ResolverPlace, StepNetwork } from './network.ts'
