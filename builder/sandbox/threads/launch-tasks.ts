/** The task of a thread that starts processes. */
import { type Launched, type LaunchInput, startStep } from '../process/step-process.ts'
import { threadLauncher } from './thread-launcher.ts'

/** Starts the program of a prepared step. The caller takes the step down in any case. */
export function launch(input: LaunchInput): Launched {
  return startStep(threadLauncher(), input)
}
