export { isStep } from './keys/vertex-kind.ts'
export { diffIdsOf, type Layer } from './layers/layer.ts'
export { checkedDirectories } from './layers/layer-check.ts'
export { directoriesOf } from './layers/stack.ts'
export { checkEmulator } from './operations/emulator.ts'
export type { StepSecrets } from './operations/exec-mounts.ts'

export type { ResultLayer } from './operations/result.ts'
export { plannedVertices } from './report/planned-vertices.ts'
export { Reporter } from './report/reporter.ts'
export { Solver } from './solver.ts'
export { type Schedule, scheduler } from './work/schedule.ts'

export { type WorkPool, workPool } from './work/work-pool.ts'
