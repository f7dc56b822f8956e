export { ContainerMounts, type OpenedMounts, type ShowImage } from './container-mounts.ts'
export { VolumeThread } from './threads/volume-thread.ts'
export type { VolumeRecord } from './volume-record.ts'
export { type VolumeRequest, Volumes } from './volumes.ts'
