export type { Exported, LayerCompression, OutputRequest } from './exporter.ts'
export { readFromStore } from './from-store.ts'
export {
  assembleImage,
  type FinishedImage,
  type ImageLayer,
  type ImageSet,
  type StepLayer,
} from './image.ts'
export { checkDestination, checkOutput, type Output, sendOutput, takenBy } from './output.ts'
export { describePresumed, presumedOwners } from './owner-check.ts'
export { pushImages } from './registry-exporter.ts'
