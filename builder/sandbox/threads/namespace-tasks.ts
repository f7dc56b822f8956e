/** The tasks of the thread that prepares steps. Descriptors in their results belong to the receiver. */
import type { PreparedStep, StepInput } from '../process/prepared-step.ts'
import { makeNetworkNamespace, prepareStep } from '../process/step-namespaces.ts'
import { threadPreparer } from './thread-preparer.ts'

/** Prepares a step; if this fails, nothing of it is left. */
export function prepare(input: StepInput): PreparedStep {
  return prepareStep(threadPreparer(), input)
}

/** Makes a network namespace in which only loopback works. @returns its descriptor */
export function makeNetwork(): number {
  return makeNetworkNamespace(threadPreparer())
}
