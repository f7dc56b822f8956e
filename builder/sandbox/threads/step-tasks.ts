/** The tasks of the thread that prepares and starts steps. Descriptors in their results belong to the receiver. */
import { prepareStep } from '../process/prepare-step.ts'
import type { PreparedStep, StepInput } from '../process/prepared-step.ts'
import { makeNetworkNamespace } from '../process/preparer.ts'
import { makePlace, type PlaceInput } from '../process/step-place.ts'
import { type Launched, type LaunchInput, startStep } from '../process/step-process.ts'
import { sparePlace, threadLauncher, threadPreparer } from './step-thread.ts'

/** Makes a network namespace in which only loopback works. @returns its descriptor */
export function makeNetwork(): number {
  return makeNetworkNamespace(threadPreparer())
}

/** Makes a place for a step that follows. */
export function makeSpare(input: PlaceInput): void {
  sparePlace.make(threadPreparer(), input)
}

/** Prepares a step; if this fails, nothing of it is left. */
export function prepare(input: StepInput): PreparedStep {
  const preparer = threadPreparer()
  const place = sparePlace.take(input) ?? makePlace(preparer, input)
  return prepareStep(preparer, place, input)
}

/** Starts the program of a prepared step. The caller takes the step down in any case. */
export function launch(input: LaunchInput): Launched {
  return startStep(threadLauncher(), input)
}
