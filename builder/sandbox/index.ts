export { checkSandbox } from './check.ts'

export { reexecInUserNamespace } from './host/rootless.ts'
export type { ProcessSpec } from './spec/process-spec.ts'
export { run } from './spec/run.ts'
export type { ExitStatus, RunningProcess, Sandbox, StartOptions } from './spec/sandbox.ts'

export { inProcessSandbox } from './threads/in-process.ts'
