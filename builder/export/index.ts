export { type ArchiveWriter, directoryWriter, tarWriter } from './archive/archive-writer.ts'
export { checkFile, checkFolder } from './archive/check-destination.ts'
export type { Exported, LayerCompression, OutputRequest } from './exporter.ts'
export { readFromStore } from './from-store.ts'
export {
  assembleImage,
  type FinishedImage,
  type ImageSet,
  type StepLayer,
} from './image.ts'
export type { Attestation } from './layers/attestation.ts'
export { EarlyLayers } from './layers/early-layers.ts'
export { EarlyUploads } from './layers/early-uploads.ts'
export { type ImageLayer, LAYER_TYPES } from './layers/image-layer.ts'
export { layerBlob, sendLayer } from './layers/layer-blob.ts'
export { describePresumed, presumedOwners } from './layers/owner-check.ts'
export { packTar } from './layers/packing.ts'
export type { Annotation } from './manifests/image-form.ts'
export {
  checkDestination,
  checkOutput,
  compressionFor,
  type Output,
  sendOutput,
  takenBy,
} from './output.ts'
export { pushImages } from './registry-exporter.ts'
