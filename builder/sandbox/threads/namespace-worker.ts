/**
 * A worker thread that prepares steps. It enters new namespaces, mounts the step's root there, and
 * comes back to the host; pid 1 keeps the step alive. All its file work is synchronous, since
 * asynchronous calls are made by threads that have stayed on the host.
 */
import { serveTasks } from '#builder/threads'
import * as tasks from './namespace-tasks.ts'
import { stepFailure } from './step-failure.ts'
import { closeThreadPreparer } from './thread-preparer.ts'

serveTasks(tasks, {
  toError: (failure) => stepFailure(failure, 'prepare the step'),
  onClose: closeThreadPreparer,
})
