export {
  type BaseLayer,
  type BaseLookup,
  type BaseOptions,
  type ResolvedBase,
  resolveBase,
  storeSource,
} from './bases/bases.ts'
export { epochStageSource } from './epoch-stage.ts'
export { type PlanOptions, planBuild, stagePlatform } from './plan.ts'
export { type ResolvedGraph, type ResolveGraphOptions, resolveGraph } from './resolve-graph.ts'
export type { RemoteSource } from './steps/copy-sources.ts'
export {
  type GlobalScope,
  globalScope,
  isSwitchedOn,
  predefinedArgs,
  type ScopeOptions,
  unusedBuildArgs,
} from './variables/scope.ts'
export type { NamedContext } from './vertices/named-context.ts'
export type {
  BindMountPlan,
  CacheMountPlan,
  MountOwner,
  PlannedMount,
  SecretMountPlan,
  SshMountPlan,
} from './vertices/planned-mount.ts'
export {
  DEFAULT_STEP_SETTINGS,
  type Entitlement,
  type StepSettings,
} from './vertices/step-settings.ts'
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
} from './vertices/vertex.ts'
