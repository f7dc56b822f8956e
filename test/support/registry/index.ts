export type { RegistryAuth } from './auth.ts'
export type { FaultAction } from './faults.ts'
export { MemoryRegistry, type MemoryRegistryOptions } from './memory-registry.ts'
export { Recorder } from './recorder.ts'
