export {
  type BuildRecord,
  type RecordedSandbox,
  type RecordedStep,
  readBuilds,
} from './build-record.ts'
export { BuildRecorder } from './build-recorder.ts'
export { findBuild } from './find-build.ts'
export type { StepRecord } from './step-record.ts'
