import type { PreparedStep, StepInput } from '../process/prepared-step.ts'
import { prepareStep } from '../process/step-namespaces.ts'
import { threadPreparer } from './thread-preparer.ts'

/** Prepares a step; if this fails, nothing of it is left. */
export function prepare(input: StepInput): PreparedStep {
  return prepareStep(threadPreparer(), input)
}
