export { type ElsewhereDeps, elsewhereSource } from './bases/elsewhere-source.ts'
export { layoutSource } from './bases/layout-source.ts'
export {
  type BaseLayer,
  type BaseLookup,
  type ResolvedBase,
  resolveBase,
  storedBase,
  storeSource,
} from './bases/resolve-base.ts'
export { planBuild } from './plan.ts'
export { type ResolveGraphOptions, resolveGraph } from './resolve-graph.ts'
export { sourceDateEpochSource } from './source-date-epoch-stage.ts'
export { type CacheFilter, parseCacheFilter, unmatchedFilters } from './stage/cache-filter.ts'
export { isRunForCertain } from './stage/cache-marks.ts'
export { changedConfig } from './stage/changed-config.ts'
export { stagePlatform } from './stage/platforms.ts'
export type { PlanOptions } from './stage/stage-plan.ts'
export type { RemoteSource } from './steps/copy-sources.ts'
export {
  globalScope,
  isSwitchedOn,
  predefinedArgs,
  unusedBuildArgs,
} from './variables/build-args.ts'
export type { NamedContext } from './vertices/named-context.ts'
export type {
  BindMountPlan,
  CacheMountPlan,
  PlannedMount,
  SecretMountPlan,
  SshMountPlan,
} from './vertices/planned-mount.ts'
export {
  DEFAULT_STEP_SETTINGS,
  type StepSettings,
} from './vertices/step-settings.ts'
export type {
  ExecVertex,
  FilesSource,
  FilesVertex,
  ImageVertex,
  Plan,
  PlannedHistory,
  PlannedImage,
  RemoteVertex,
  StepVertex,
  Vertex,
  VertexId,
} from './vertices/vertex.ts'
