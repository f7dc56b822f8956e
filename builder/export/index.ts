export { type ArchiveWriter, directoryWriter, tarWriter } from './archive-writer.ts'
export { openDestination, sendFile } from './destination.ts'
export { readFromStore } from './from-store.ts'
export {
  assembleImage,
  type FinishedImage,
  type ImageLayer,
  type ImageSet,
  type StepLayer,
} from './image.ts'
export { describePresumed, presumedOwners } from './owner-check.ts'
export { type ArchiveOptions, exportToArchive } from './to-archive.ts'
export { exportToRegistry, type RegistryOptions } from './to-registry.ts'
export { exportToStore, type StoreOptions } from './to-store.ts'
