/** The tasks of the thread that runs steps in place, one at a time. */
import type { ProcessEnd } from '#builder/linux'
import { threadSettings } from '#builder/threads'
import {
  type InPlaceInput,
  type InPlaceLaunched,
  type InPlaceSettings,
  runInPlace,
} from './step-run.ts'

/**
 * Runs a step to its end.
 * @param post gets the process once it runs, with descriptors that belong to the receiver
 */
export function run(input: InPlaceInput, post: (launched: InPlaceLaunched) => void): ProcessEnd {
  return runInPlace(input, threadSettings<InPlaceSettings>(), post)
}
