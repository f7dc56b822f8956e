/** The task of a thread that starts processes. */
import type { ProcessEnd } from '#builder/linux'
import { endGate } from '../process/first-process.ts'
import type { Launcher } from '../process/launcher.ts'
import { releaseStep } from '../process/prepared-step.ts'
import { type Launched, type LaunchInput, runStep } from '../process/step-process.ts'
import { stepFailure } from './step-failure.ts'
import { threadLauncher } from './thread-launcher.ts'

/**
 * Runs the program of a prepared step, and takes the step down in any case.
 * @param post gets the process once it runs, with descriptors that belong to the receiver
 * @returns how the process ended, when nothing is left of the step
 */
export function launch(input: LaunchInput, post: (launched: Launched) => void): ProcessEnd {
  let end: ProcessEnd
  try {
    end = runStep(launcherFor(input), input, post)
  } catch (cause) {
    takeDown(input)
    throw cause
  }
  takeDown(input)
  return end
}

function launcherFor({ step }: LaunchInput): Launcher {
  try {
    return threadLauncher()
  } catch (cause) {
    const { first } = step
    if (first.gate !== undefined) endGate(first, first.gate)
    throw cause
  }
}

function takeDown({ step }: LaunchInput): void {
  try {
    releaseStep(step)
  } catch (cause) {
    throw stepFailure(cause, 'end the step')
  }
}
