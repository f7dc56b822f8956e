/** A worker thread for steps in place. It blocks as long as a step runs. */
import { runStepInPlace } from '#builder/sandbox'
import { rootTasks } from '#builder/snapshot'
import { serveTasks } from '#builder/threads'
import { typedFailure } from '#core'

serveTasks(
  { ...rootTasks, runStepInPlace },
  { toError: (failure) => typedFailure('show layers in place', failure) },
)
