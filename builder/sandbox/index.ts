/** @internal */
export { checkSandbox } from './check.ts'
export { reexecInUserNamespace } from './host/rootless.ts'
export { run } from './spec/run.ts'
export type { ExitStatus, Sandbox } from './spec/sandbox.ts'
export { inProcessSandbox } from './threads/in-process.ts'
