/** The tasks of a thread that starts processes. */
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { type Launched, type LaunchInput, startStep } from '../process/step-process.ts'
import { threadLauncher } from './thread-launcher.ts'

/** Goes to the control groups of the next step, before that can be launched. */
export function enterGroup(directories: readonly CgroupDir[]): void {
  threadLauncher().enter(directories)
}

/** Starts the program of a prepared step. The caller takes the step down in any case. */
export function launch(input: LaunchInput): Launched {
  return startStep(threadLauncher(), input)
}
