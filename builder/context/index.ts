export { readContained } from './contained-file.ts'
export {
  type ContextEntry,
  type ContextListing,
  type ContextOptions,
  type ContextVerdict,
  listContext,
} from './context-listing.ts'
export {
  type ContextLocation,
  contextName,
  folderOfContext,
  parseContextLocation,
} from './context-location.ts'
export { ContextSummary, type FolderSize } from './context-summary.ts'
export type { LoadedDockerfile } from './dockerfile-source.ts'
export {
  contextFolders,
  type NamedSources,
  parseNamedContexts,
  plannedContexts,
  replacementIn,
} from './named-contexts.ts'
export { type OpenedContext, openContext } from './open-context.ts'
export {
  REPRODUCIBLE_TIME,
  resolveSourceDateEpoch,
  type SourceDateEpochDeps,
} from './source-date-epoch.ts'
