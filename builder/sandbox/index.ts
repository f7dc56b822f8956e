export type { InProcessOptions } from './in-process.ts'
export { inProcessSandbox } from './in-process.ts'
export type { ExitStatus, ProcessSpec, RunOptions, Sandbox } from './sandbox.ts'
