/**
 * A worker thread that prepares steps and starts their processes, and waits for none of them. It enters
 * new namespaces, mounts the step's root there, and comes back to the host; pid 1 keeps the step alive,
 * and what is started goes to the step's namespaces by itself. All its file work is synchronous, since
 * asynchronous calls are made by threads that have stayed on the host.
 */
import { serveTasks } from '#builder/threads'
import { stepFailure } from './step-failure.ts'
import * as tasks from './step-tasks.ts'
import { closeStepThread, threadLauncher } from './step-thread.ts'

// At once, so that the first step need not wait for it. A failure is reported by the first step that is launched.
try {
  threadLauncher()
} catch {
  // As above.
}

serveTasks(tasks, {
  toError: (failure, task) =>
    stepFailure(failure, task.startsWith('launch') ? 'start the step' : 'prepare the step'),
  onClose: closeStepThread,
})
