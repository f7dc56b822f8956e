export { Container } from './container.ts'
export type { ContainerDeps, KeptLimits } from './container-deps.ts'
export { containerEvent } from './container-event.ts'
export { commandOf, containerSpec } from './container-spec.ts'
export {
  Containers,
  type CreatedContainer,
  type MadeMountPoints,
} from './containers.ts'
export { describeStatus } from './describe-status.ts'
export { Exec } from './exec.ts'
export { inspectContainer } from './inspect.ts'
export { type OutputSink, Streams } from './streams.ts'
export type { WaitCondition } from './waiters.ts'
