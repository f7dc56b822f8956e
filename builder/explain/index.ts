export { explainTrace } from './explain-trace.ts'
export { keepTrace } from './keep-trace.ts'
export type {
  BuildExplanation,
  Difference,
  FileChange,
  FileChanges,
  StepExplanation,
} from './report/explanation.ts'
export { instructionOf } from './trace/counterparts.ts'
export { isStep, readTrace, type Trace, type TracedVertex } from './trace/trace.ts'
export { TraceRecorder } from './trace/trace-recorder.ts'
