/**
 * A worker thread that starts the processes of steps in the namespaces that were made for them, and waits
 * for none of them. It stays on the host: what it starts goes to the step's namespaces by itself.
 */
import { serveTasks } from '#builder/threads'
import * as tasks from './launch-tasks.ts'
import { stepFailure } from './step-failure.ts'
import { threadLauncher } from './thread-launcher.ts'

// At once, so that the first step need not wait for it. A failure is reported by the first step that is launched.
try {
  threadLauncher()
} catch {
  // As above.
}

serveTasks(tasks, { toError: (failure) => stepFailure(failure, 'start the step') })
