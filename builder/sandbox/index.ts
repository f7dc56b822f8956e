export { checkSandbox, type SandboxCheck } from './check.ts'
/** @internal */
export { callRules } from './filter/call-rules.ts'
/** @internal */
export { machinesOf } from './filter/calls/machines.ts'
/** @internal */
export { stepFilter } from './filter/step-filter.ts'
export { confinementNotices } from './host/confinement-notices.ts'
export { chooseIsolation, isInPlace } from './in-place/choose-isolation.ts'
export { runStepInPlace } from './in-place/in-place-tasks.ts'
export { lockRoot } from './in-place/root-lock.ts'
export type { InPlaceSettings } from './in-place/step-run.ts'
export { checkLimits, type LimitCheck } from './limits/check-limits.ts'
export { readGroupSystem } from './limits/hierarchies.ts'
export { openSandbox, type WantedRuntime } from './open-sandbox.ts'
/** @internal */
export { findRuntime, type RuntimeProgram } from './runtime/runtime-program.ts'
export type { ContainerSettings } from './spec/container-settings.ts'
export type { ContainerUsage } from './spec/container-usage.ts'
export type { NamespaceHolder } from './spec/namespace-holder.ts'
export type { OpenedRoot } from './spec/opened-root.ts'
export type { ProcessSpec } from './spec/process-spec.ts'
export { run } from './spec/run.ts'
export type {
  ExitStatus,
  RunningProcess,
  Sandbox,
  StartedProcess,
} from './spec/sandbox.ts'
/** @internal */
export { inProcessSandbox } from './threads/in-process.ts'
