export {
  type ContextEntry,
  type ContextListing,
  type ContextOptions,
  ContextSummary,
  type ContextVerdict,
  type FolderSize,
  listContext,
} from '#builder/context'
export type { BuildExplanation } from '#builder/explain'
export type { Annotation, LayerCompression, Output } from '#builder/export'
export type {
  BuildOptions,
  BuildResult,
  BuiltLayer,
  BuiltPlatform,
  CacheSource,
  CacheTarget,
  MadeImage,
  SecretSource,
} from '#builder/options'
export { defaultCredentials } from '#builder/options'
export { resolveRoot } from '#cache'
export type { BuildEvent, BuildEventListener, ErrorCode, Material } from '#core'
export { TsbuildError } from '#core'
export { SourceError } from '#parser'
export type { SigningKey } from '#signing'
export { build } from './build/build.ts'
export { type BuildCheck, checkBuild } from './build/check.ts'
export { type BuildDescription, describeBuild } from './build/describe.ts'
export { instructionGraph } from './build/graph.ts'
export { type CopyImagesOptions, copyImages } from './build/images/copy.ts'
export { createImageIndex, type ImageIndexOptions } from './build/images/create-index.ts'
export {
  type DescribedImage,
  type DescribeOptions,
  describeImage,
} from './build/images/describe-image.ts'
export { hasImage } from './build/images/has-image.ts'
export { digestsOf, withDigests } from './build/images/image-digests.ts'
export { clientFor, type ImageOptions } from './build/images/image-services.ts'
export { type LoadedImage, type LoadOptions, loadImages } from './build/images/load.ts'
export {
  canonicalName,
  type LocalDocuments,
  type LocalImage,
  readImage,
  readImages,
  readLocalDocuments,
  splitName,
} from './build/images/local-images.ts'
export {
  type PulledImage,
  type PullOptions,
  type PullWatch,
  pullImages,
} from './build/images/pull.ts'
export { type PushOptions, type PushResult, pushFromStore } from './build/images/push.ts'
export {
  type ArchiveOptions,
  type SavedImage,
  type SaveOptions,
  saveImages,
  writeArchive,
} from './build/images/save.ts'
export { generateKeyFiles, type KeyFiles } from './build/images/signing/generate-keys.ts'
export type { RebuildInput } from './build/images/signing/rebuild.ts'
export {
  type SignedImage,
  type SignImageOptions,
  signRemoteImage,
} from './build/images/signing/sign.ts'
export {
  type VerifiedImage,
  type VerifyImageOptions,
  verifyImage,
} from './build/images/signing/verify.ts'
export {
  type ContainerServices,
  type ContainerServicesOptions,
  openContainerServices,
} from './build/run/container-services.ts'
export { type DebugOptions, debugStep, type ServeProcess } from './build/run/debug-step.ts'
export {
  type ContainerOptions,
  type RunOptions,
  runContainer,
} from './build/run/run-container.ts'
