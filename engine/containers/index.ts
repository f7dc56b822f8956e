export { Container, type StopOptions } from './container.ts'
export type { ContainerDeps, DiscardOptions, OutputLog, ServeProgram } from './container-deps.ts'
export type { FindHolder } from './container-settings.ts'
export { commandOf, containerSpec, hostnameOf, resourcesOf } from './container-spec.ts'
export {
  Containers,
  type CreatedContainer,
  type CreateRequest,
  type FoundImage,
  type MadeMountPoints,
} from './containers.ts'
export { describeStatus } from './describe-status.ts'
export { Exec, type ExecStart } from './exec.ts'
export { type ContainerPaths, inspectContainer } from './inspect.ts'
export { type Attachment, type OutputName, type OutputSink, Streams } from './streams.ts'
export type { WaitCondition } from './waiters.ts'
