export {
  type BaseLayer,
  type BaseLookup,
  type BaseOptions,
  type ResolvedBase,
  resolveBase,
  storeSource,
} from './bases.ts'
export type { RemoteSource } from './copy-sources.ts'
export { epochStageSource } from './epoch-stage.ts'
export type { NamedContext } from './named-context.ts'
export { type PlanOptions, planBuild, stagePlatform } from './plan.ts'
export type {
  BindMountPlan,
  CacheMountPlan,
  MountOwner,
  PlannedMount,
  SecretMountPlan,
  SshMountPlan,
} from './planned-mount.ts'
export { type ResolvedGraph, type ResolveGraphOptions, resolveGraph } from './resolve-graph.ts'
export {
  type GlobalScope,
  globalScope,
  isSwitchedOn,
  predefinedArgs,
  type ScopeOptions,
  unusedBuildArgs,
} from './scope.ts'
export {
  DEFAULT_STEP_SETTINGS,
  type Entitlement,
  type StepSettings,
} from './step-settings.ts'
export type {
  ExecVertex,
  FilesSource,
  FilesVertex,
  GitVertex,
  HttpVertex,
  ImageVertex,
  Plan,
  PlannedHistory,
  PlannedImage,
  PlannedProcess,
  RemoteVertex,
  StepVertex,
  Vertex,
  VertexId,
  VertexSource,
} from './vertex.ts'
