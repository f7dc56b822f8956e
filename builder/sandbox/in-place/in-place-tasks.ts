/** The task of a thread that runs steps in place, one at a time. */
import type { ProcessEnd } from '#builder/linux'
import { threadSettings } from '#builder/threads'
import { stepFailure } from '../threads/step-failure.ts'
import {
  type InPlaceInput,
  type InPlaceLaunched,
  type InPlaceSettings,
  runInPlace,
} from './step-run.ts'

/**
 * Runs a step to its end. It blocks the thread as long as the step runs.
 * @param post gets the process once it runs, with descriptors that belong to the receiver
 */
export function runStepInPlace(
  input: InPlaceInput,
  post: (launched: InPlaceLaunched) => void,
): ProcessEnd {
  try {
    return runInPlace(input, threadSettings<InPlaceSettings>(), post)
  } catch (cause) {
    throw stepFailure(cause, 'run the step in place')
  }
}
