export type { SandboxCheck } from './check.ts'
export { checkSandbox } from './check.ts'
export type { ReexecOptions } from './host/rootless.ts'
export {
  canMapRange,
  explainMissingUserNamespaces,
  reexecInUserNamespace,
} from './host/rootless.ts'
export type { ProcessSpec } from './spec/process-spec.ts'
export { type RunOptions, run } from './spec/run.ts'
export type { ExitStatus, RunningProcess, Sandbox, StartOptions } from './spec/sandbox.ts'
export type { InProcessOptions } from './threads/in-process.ts'
export { inProcessSandbox } from './threads/in-process.ts'
