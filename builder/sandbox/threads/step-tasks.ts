/** The tasks of the thread that prepares and starts steps. Descriptors in their results belong to the receiver. */
import type { PreparedStep, StepInput } from '../process/prepared-step.ts'
import { makeNetworkNamespace, prepareStep } from '../process/step-namespaces.ts'
import { type Launched, type LaunchInput, startStep } from '../process/step-process.ts'
import { threadLauncher, threadPreparer } from './step-thread.ts'

/** Makes a network namespace in which only loopback works. @returns its descriptor */
export function makeNetwork(): number {
  return makeNetworkNamespace(threadPreparer())
}

/** Prepares a step; if this fails, nothing of it is left. */
export function prepare(input: StepInput): PreparedStep {
  return prepareStep(threadPreparer(), input)
}

/** Starts the program of a prepared step. The caller takes the step down in any case. */
export function launch(input: LaunchInput): Launched {
  return startStep(threadLauncher(), input)
}
