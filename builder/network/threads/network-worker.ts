/**
 * A worker thread that has the networks of containers. It enters their namespaces and comes back; all that it does is
 * done when a task returns, and takes no longer than a few calls.
 */
import { serveTasks } from '#builder/threads'
import { closeThreadNetwork } from './network-state.ts'
import * as tasks from './network-tasks.ts'

serveTasks(tasks, { onClose: closeThreadNetwork })
