export {
  ContainerMounts,
  type MadePoints,
  type MakeContext,
  type OpenedMounts,
  type ShowImage,
} from './container-mounts.ts'
export { MemoryVolumes } from './memory-volumes.ts'
export { type MountsContext, type MountsRequest, planMounts } from './mounts/plan-mounts.ts'
export type { PlannedMount } from './mounts/planned-mount.ts'
export { VolumeThread } from './threads/volume-thread.ts'
export type { VolumeRecord } from './volume-record.ts'
export { type PrunedVolumes, type VolumeRequest, Volumes, type VolumesDeps } from './volumes.ts'
