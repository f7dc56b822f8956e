export { resolveRoot } from '#cache'
export type { BuildEvent, BuildEventListener, ErrorCode } from '#core'
export { TsbuildError } from '#core'
export { SourceError } from '#parser'
export { build } from './build.ts'
export { type BuildCheck, checkBuild } from './check.ts'
export {
  type ContextEntry,
  type ContextListing,
  type ContextOptions,
  type ContextVerdict,
  listContext,
} from './context-listing.ts'
export { ContextSummary, type FolderSize } from './context-summary.ts'
export { defaultCredentials } from './credentials.ts'
export { type BuildDescription, describeBuild } from './describe.ts'
export { instructionGraph } from './graph.ts'
export type {
  BuildOptions,
  BuildResult,
  BuiltLayer,
  BuiltPlatform,
  LayerCompression,
  Output,
  SecretSource,
} from './options.ts'
export { type PushOptions, type PushResult, pushFromStore } from './push.ts'
